"""Predicts with a two-layer network that cvxnn trained, from its JSON file, with NumPy alone.

    python3 predict.py model.json rows.npy > predictions.txt

The file is what `toJSON()` of a network or of a ReluRegressor or ReluClassifier gives, or what `cvxnn fit --out` wrote.
"""

import json
import sys

import numpy as np


def predict(model, X):
    """f(x) = sum_j h_j(x) w2_j + intercept, rows of X in, rows of outputs (scores of classes) out."""
    network, prepared = model.get("network", model), model.get("prepared")
    if network["kind"] not in ("relu-network", "gated-relu-network"):
        raise ValueError(f"the network is of kind {network['kind']}, expected relu-network or gated-relu-network")
    X = np.asarray(X, dtype=np.float64)
    if prepared:
        X = (X - prepared["inputs"]["mean"]) / prepared["inputs"]["scale"]
    features, outputs = network["features"], network["outputs"]
    W1 = np.reshape(network["W1"], (-1, features))
    W2 = np.reshape(network["W2"], (-1, outputs))
    hidden = X @ W1.T + np.asarray(network["b1"])
    if network["kind"] == "relu-network":
        hidden = np.maximum(hidden, 0)
    else:
        gates = np.reshape(network["gates"], (-1, features))
        hidden = np.where(X @ gates.T + np.asarray(network["gateBias"]) >= 0, hidden, 0)
    Y = hidden @ W2 + np.asarray(network["intercept"])
    if prepared:
        Y = Y * prepared["targets"]["scale"] + prepared["targets"]["mean"]
    return Y


def labels(model, scores):
    """The classes of rows of scores: the sign of one score, or the largest of several."""
    classes = np.asarray(model["classes"])
    return classes[(scores[:, 0] > 0).astype(int) if len(classes) == 2 else scores.argmax(axis=1)]


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        model = json.load(file)
    Y = predict(model, np.load(sys.argv[2]))
    np.savetxt(sys.stdout, labels(model, Y) if "classes" in model else Y, fmt="%s" if "classes" in model else "%.17g")
