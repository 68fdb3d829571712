import type { MatrixLike } from '../numerics/interchange.ts'
import type { Matrix } from '../types.ts'
import { labelsOf, shareRight } from './answers.ts'
import type { Label } from './file.ts'
import { LiftedEstimator, type LiftedTrainAsyncOptions } from './lifted-estimator.ts'
import { type LiftedEstimatorJson, liftedFromJson, liftedToJson } from './lifted-file.ts'
import { type LiftedTrainOptions, liftedOptionsOf } from './lifted-options.ts'
import { checkedRows, classificationData, type LabelledData } from './training-data.ts'

/**
 * Classification by a deep network that is trained block by block, without backpropagation:
 *
 * ```ts
 * const classifier = new LiftedClassifier({ method: 'fenchel', hidden: [300] }).train(X, ['cat', 'dog', 'cat', …])
 * classifier.predict(X)                     // labels
 * ```
 *
 * Labels are texts or numbers; what came in comes out. Its certificate is of scope `block`: no bound of how good a network
 * there could be. `ReluClassifier` has one.
 */
export class LiftedClassifier extends LiftedEstimator {
  #classes: readonly Label[] = []

  constructor(options: LiftedTrainOptions = {}) {
    super(options, 'LiftedClassifier')
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
  async trainAsync(X: MatrixLike, labels: ArrayLike<Label>, options: LiftedTrainAsyncOptions = {}): Promise<this> {
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

  /** What `load` and `loadModel` read back. */
  toJSON(): LiftedEstimatorJson {
    return liftedToJson('lifted-classifier', this.trained(), this.#classes)
  }

  /** @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged. */
  static load(json: string | object): LiftedClassifier {
    const { trained, classes } = liftedFromJson('lifted-classifier', json)
    const classifier = new LiftedClassifier(liftedOptionsOf(trained.settings))
    classifier.keep(trained)
    classifier.#classes = classes
    return classifier
  }

  private checked(X: MatrixLike, labels: ArrayLike<Label>): LabelledData {
    return classificationData(X, labels, 'LiftedClassifier')
  }
}
