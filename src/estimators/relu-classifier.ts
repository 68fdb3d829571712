import { decodeLabels, encodeLabels } from '../data/dataset.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { ConvexProgram, Matrix } from '../types.ts'
import { Estimator, type TrainAsyncOptions } from './estimator.ts'
import { type EstimatorJson, type Label, stateFromJson, stateToJson } from './file.ts'
import { optionsOf, type TrainOptions } from './options.ts'
import type { TrainingProblem } from './prepare.ts'

/**
 * Classification by a two-layer network that is trained to its certified optimum, one-vs-all on targets of -1 and +1:
 *
 * ```ts
 * const classifier = new ReluClassifier().train(X, ['cat', 'dog', 'cat', …])
 * classifier.predict(X)                     // labels
 * ```
 *
 * Labels are texts or numbers; what came in comes out.
 */
export class ReluClassifier extends Estimator {
  #classes: readonly Label[] = []

  constructor(options: TrainOptions = {}) {
    super(options, 'ReluClassifier', 'classification')
  }

  /** The class names; two classes share one output (its sign), more have one each. */
  get classes(): readonly Label[] {
    this.trained()
    return this.#classes
  }

  /** Trains and blocks until done; returns itself. */
  train(X: MatrixLike, labels: ArrayLike<Label>): this {
    const [rows, Y, texts, classes] = this.checked(X, labels)
    this.trainSync(rows, Y, 'classification', texts)
    this.#classes = classes
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, labels: ArrayLike<Label>, options: TrainAsyncOptions = {}): Promise<this> {
    const [rows, Y, texts, classes] = this.checked(X, labels)
    await this.trainBreathing(rows, Y, 'classification', options, texts)
    this.#classes = classes
    return this
  }

  /** One label per row. */
  predict(X: MatrixLike): Label[] {
    const scores = this.decisionFunction(X)
    const names = this.#classes.map(String)
    const byName = new Map(names.map((name, k) => [name, this.#classes[k]!]))
    return decodeLabels(scores, names).map((name) => byName.get(name)!)
  }

  /** The network's outputs: one column for two classes (positive: the second), one per class for more. */
  decisionFunction(X: MatrixLike): Matrix {
    return this.network.predict(this.checkedRows(X, 'predict'))
  }

  /** Share of rows whose predicted label is the given one. */
  score(X: MatrixLike, labels: ArrayLike<Label>): number {
    const predicted = this.predict(X)
    if (predicted.length !== labels.length)
      throw new RangeError(
        `score: there are ${labels.length} labels and X has ${predicted.length} rows; pass one label per row.`,
      )
    let right = 0
    for (let r = 0; r < predicted.length; r++) if (String(predicted[r]) === String(labels[r])) right++
    return right / predicted.length
  }

  /** The ingredients of that program: prepared rows and targets, gates, penalty. */
  problem(X: MatrixLike, labels: ArrayLike<Label>): TrainingProblem {
    const [rows, Y] = this.checked(X, labels)
    return this.rebuild(rows, Y)
  }

  /** The convex program that `train(X, labels)` solved, from the same rows; `preparedNetwork` is a point of it, for `verify`. */
  program(X: MatrixLike, labels: ArrayLike<Label>): ConvexProgram<TwoLayerNetwork> {
    const [rows, Y] = this.checked(X, labels)
    return this.rebuildProgram(rows, Y)
  }

  toJSON(): EstimatorJson {
    return stateToJson('relu-classifier', this.trained(), this.#classes)
  }

  /** @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged. */
  static load(json: string | object): ReluClassifier {
    const { state, classes } = stateFromJson('relu-classifier', json)
    const classifier = new ReluClassifier(optionsOf(state.settings))
    classifier.keep(state)
    classifier.#classes = classes
    return classifier
  }

  private checked(X: MatrixLike, labels: ArrayLike<Label>): [Matrix, Matrix, string[], Label[]] {
    const rows = this.checkedRows(X, 'ReluClassifier')
    if (labels.length !== rows.rows)
      throw new RangeError(
        `ReluClassifier: there are ${labels.length} labels and X has ${rows.rows} rows; pass one label per row.`,
      )
    const texts = Array.from(labels, (label, r) => {
      if (typeof label === 'string' || Number.isFinite(label)) return String(label)
      throw new RangeError(
        `ReluClassifier: the label of row ${r} is ${label}, expected a text or a finite number; drop the row.`,
      )
    })
    const { y, classes } = encodeLabels(texts)
    const numeric = Array.from(labels).every((label) => typeof label === 'number')
    return [rows, y, texts, numeric ? classes.map(Number) : [...classes]]
  }
}
