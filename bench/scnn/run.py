"""Runs scnn on one problem and prints, as one JSON object, after how many processor seconds it came how close.

    python3 run.py REQUEST.json
    python3 run.py --check        only whether scnn can be imported

The request: `folder` with X.f64 (n x d), y.f64 (n) and G.f64 (d x P), row-major little-endian float64; `lambdas`;
`optima`, the certified optimum at each; `distances`, relative ones, from the largest to the smallest; `dtype`; and
`seconds` at most for each lambda. `method`:

    solve    every lambda from zero, until the smallest distance
    path     optimize_path: warm started, each lambda until the largest distance
    shipped  optimize_path with the stopping rule that scnn comes with

scnn itself is unchanged but for two things. Its stopping rule, which is called once an iteration with the objective at
hand: what watches the objective there costs nothing. And the momentum's square root, of which NumPy 2 makes a float64
that promotes all float32 arrays: it is a plain number here, which gives what NumPy 1 gave. Seconds are of processor
time and begin when data and patterns are ready.
Exit code 3: scnn cannot be imported.
"""
import json
import logging
import math
import os
import sys
import time
import types

try:
    import numpy as np
    import scnn.optimize as scnn
    from scnn.metrics import Metrics
    from scnn.models import ConvexGatedReLU
    from scnn.private.methods.core import proximal_gradient
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import RFISTA
except ImportError as missing:
    print(f"scnn cannot be imported: {missing}", file=sys.stderr)
    sys.exit(3)


proximal_gradient.np = types.SimpleNamespace(sqrt=math.sqrt)


class Watch:
    """A stopping rule: records when the objective first came within each distance of the optimum, and ends there."""

    def __init__(self, optimum, distances, seconds):
        self.optimum, self.distances, self.seconds = optimum, list(distances), seconds
        self.begun = time.process_time()
        self.reached, self.iterations, self.objective = [], -1, None

    def __call__(self, model, X, y, objective=None, grad=None):
        now = time.process_time() - self.begun
        self.iterations += 1
        self.objective = float(objective)
        distance = self.objective / self.optimum - 1
        while len(self.reached) < len(self.distances) and distance <= self.distances[len(self.reached)]:
            self.reached.append({"seconds": now, "iterations": self.iterations})
        return len(self.reached) == len(self.distances) or now > self.seconds

    def answer(self):
        never = [None] * (len(self.distances) - len(self.reached))
        return {
            "reached": self.reached + never,
            "iterations": self.iterations,
            "distance": self.objective / self.optimum - 1,
        }


class Shipped:
    """scnn's own stopping rule; keeps the last objective."""

    def __init__(self, own, optimum):
        self.own, self.optimum = own, optimum
        self.iterations, self.objective = -1, None

    def __call__(self, model, X, y, objective=None, grad=None):
        self.iterations += 1
        self.objective = float(objective)
        return self.own(model, X, y, objective, grad)

    def answer(self):
        return {"iterations": self.iterations, "distance": self.objective / self.optimum - 1}


def main():
    if sys.argv[1] == "--check":
        return
    with open(sys.argv[1]) as file:
        request = json.load(file)
    X, y, G = (np.fromfile(os.path.join(request["folder"], name)) for name in ("X.f64", "y.f64", "G.f64"))
    X, y, G = (values.astype(request["dtype"]) for values in (X, y, G))
    X = X.reshape(len(y), -1)
    G = G.reshape(X.shape[1], -1)
    model = ConvexGatedReLU(G, c=1)
    logging.disable(logging.CRITICAL)

    rules, begun = [], []
    build = scnn.build_optimizer

    def watched(optimizer, regularizer, metrics):
        begun.append(time.process_time())
        procedure = build(optimizer, regularizer, metrics)
        optimum = request["optima"][len(rules)]
        if request["method"] == "shipped":
            rule = Shipped(procedure.term_criterion, optimum)
        elif request["method"] == "path":
            rule = Watch(optimum, request["distances"][:1], request["seconds"])
        else:
            rule = Watch(optimum, request["distances"], request["seconds"])
        rules.append(rule)
        procedure.term_criterion = rule
        return procedure

    scnn.build_optimizer = watched
    shared = dict(return_convex=True, unitize_data=False, dtype=request["dtype"])
    trace = Metrics(objective=True, grad_norm=False, time=False)
    penalties = [NeuronGL1(weight) for weight in request["lambdas"]]
    iterations = {} if request["method"] == "shipped" else {"max_iters": 10**9}
    if request["method"] == "solve":
        for penalty in penalties:
            scnn.optimize_model(
                ConvexGatedReLU(G, c=1), RFISTA(model, **iterations), trace, X, y, regularizer=penalty, **shared
            )
    else:
        scnn.optimize_path(model, RFISTA(model, **iterations), penalties, trace, X, y, **shared)
    seconds = time.process_time() - begun[0]
    print(json.dumps({"numpy": np.__version__, "seconds": seconds, "points": [rule.answer() for rule in rules]}))


main()
