import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { ConvexProgram, Matrix } from '../types.ts'
import { labelsOf, shareRight } from './answers.ts'
import { Estimator, type TrainAsyncOptions } from './estimator.ts'
import { type EstimatorJson, type Label, stateFromJson, stateToJson } from './file.ts'
import { optionsOf, type TrainOptions } from './options.ts'
import type { TrainingProblem } from './prepare.ts'
import { checkedRows, classificationData, type LabelledData } from './training-data.ts'

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
    const data = this.checked(X, labels)
    this.trainSync(data)
    this.#classes = data.classes
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, labels: ArrayLike<Label>, options: TrainAsyncOptions = {}): Promise<this> {
    const data = this.checked(X, labels)
    await this.trainBreathing(data, options)
    this.#classes = data.classes
    return this
  }

  /** One label per row. */
  predict(X: MatrixLike): Label[] {
    return labelsOf(this.decisionFunction(X), this.#classes)
  }

  /** The network's outputs: one column for two classes (positive: the second), one per class for more. */
  decisionFunction(X: MatrixLike): Matrix {
    return this.network.predict(checkedRows(X, 'predict'))
  }

  /** Share of rows whose predicted label is the given one. */
  score(X: MatrixLike, labels: ArrayLike<Label>): number {
    return shareRight(this.predict(X), labels)
  }

  /** The ingredients of that program: prepared rows and targets, gates, penalty. */
  problem(X: MatrixLike, labels: ArrayLike<Label>): TrainingProblem {
    return this.rebuild(this.checked(X, labels))
  }

  /** The convex program that `train(X, labels)` solved, from the same rows; `preparedNetwork` is a point of it, for `verify`. */
  program(X: MatrixLike, labels: ArrayLike<Label>): ConvexProgram<TwoLayerNetwork> {
    return this.rebuildProgram(this.checked(X, labels))
  }

  /** What `load` and `loadModel` read back. */
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

  private checked(X: MatrixLike, labels: ArrayLike<Label>): LabelledData {
    return classificationData(X, labels, 'ReluClassifier')
  }
}
