import { decodeLabels, encodeLabels } from '../data/dataset.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { Matrix } from '../types.ts'
import type { Label } from './file.ts'
import { LiftedEstimator, type LiftedTrainAsyncOptions } from './lifted-estimator.ts'
import { type LiftedEstimatorJson, liftedFromJson, liftedToJson } from './lifted-file.ts'
import { type LiftedTrainOptions, liftedOptionsOf } from './lifted-options.ts'

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
    const [rows, Y, classes] = this.checked(X, labels)
    this.trainSync(rows, Y, 'classification')
    this.#classes = classes
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, labels: ArrayLike<Label>, options: LiftedTrainAsyncOptions = {}): Promise<this> {
    const [rows, Y, classes] = this.checked(X, labels)
    await this.trainBreathing(rows, Y, 'classification', options)
    this.#classes = classes
    return this
  }

  /** One label per row. */
  predict(X: MatrixLike): Label[] {
    const names = this.#classes.map(String)
    const byName = new Map(names.map((name, k) => [name, this.#classes[k]!]))
    return decodeLabels(this.decisionFunction(X), names).map((name) => byName.get(name)!)
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

  private checked(X: MatrixLike, labels: ArrayLike<Label>): [Matrix, Matrix, Label[]] {
    const rows = this.checkedRows(X, 'LiftedClassifier')
    if (labels.length !== rows.rows)
      throw new RangeError(
        `LiftedClassifier: there are ${labels.length} labels and X has ${rows.rows} rows; pass one label per row.`,
      )
    const texts = Array.from(labels, (label, r) => {
      if (typeof label === 'string' || Number.isFinite(label)) return String(label)
      throw new RangeError(
        `LiftedClassifier: the label of row ${r} is ${label}, expected a text or a finite number; drop the row.`,
      )
    })
    const { y, classes } = encodeLabels(texts)
    const numeric = Array.from(labels).every((label) => typeof label === 'number')
    return [rows, y, numeric ? classes.map(Number) : [...classes]]
  }
}
