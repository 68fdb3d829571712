import { breathe } from '../../solvers/turn.ts'
import type { Status } from '../types.ts'
import type { TrainingData } from './training-data.ts'

/**
 * What every estimator shares: a training that is walked to its end, in one go or while the event loop breathes, and what
 * it leaves behind.
 */
export abstract class Trainable<Trained extends { readonly status: Status }, AsyncOptions> {
  #trained: Trained | undefined

  /** How training ended. */
  get status(): Status {
    return this.trained().status
  }

  protected trained(): Trained {
    if (!this.#trained) throw new Error(`${this.constructor.name}: it has not been trained; call train(X, y) first.`)
    return this.#trained
  }

  protected keep(trained: Trained): void {
    this.#trained = trained
  }

  /** Ends with `keep`. */
  protected abstract training(data: TrainingData, options?: AsyncOptions): Generator<undefined, void>

  protected trainSync(data: TrainingData): void {
    const work = this.training(data)
    for (;;) if (work.next().done) return
  }

  protected async trainBreathing(data: TrainingData, options: AsyncOptions): Promise<void> {
    await breathe(this.training(data, options))
  }
}
