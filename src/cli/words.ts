import type { Solution } from '../types.ts'

/** Functions whose name begins a sentence of the library's; a command's user has called none of them. */
const callers = [
  ...['readCsv', 'readRows', 'trainTestSplit', 'kFolds', 'encodeLabels', 'sampleGates', 'preciseCertificate'],
  ...['loadModel', 'load', 'train', 'predict', 'ReluRegressor', 'ReluClassifier'],
  ...['LiftedRegressor', 'LiftedClassifier'],
  ...['threads', 'bullmq', 'worker', 'crossValidate'],
]
const callerPrefix = new RegExp(`(^|: )(?:${callers.join('|')}): `)

/** A sentence of the library in the command's terms: options as flags, and no function's name before it. */
export function inFlags(sentence: string): string {
  return sentence
    .replace(callerPrefix, '$1')
    .replaceAll(/\b(missing|task|unknown): '(\w+)'/g, '--$1 $2')
    .replaceAll(/\b(ignore|categorical): \[("[^"]*")\]/g, '--$1 $2')
    .replaceAll(/\banother testFraction\b/g, 'another --test')
}

/** Why a solve ended before it was solved, and which flag to try. */
export function advice({ status, iterations }: Pick<Solution, 'status' | 'iterations'>, choosing: boolean): string {
  switch (status) {
    case 'solved':
      return 'Solved to the tolerance.'
    case 'iteration-limit':
      return `Stopped after ${iterations} iterations, before the gap was within the tolerance; raise --max-iterations or --tolerance.`
    case 'time-limit':
      return `Stopped at the time limit after ${iterations} iterations, before the gap was within the tolerance; raise --time-limit or --tolerance.`
    case 'aborted':
      return choosing && iterations <= 1
        ? 'Stopped while lambda was being chosen, so the network is hardly trained; give --lambda to train at once.'
        : `Stopped on request after ${iterations} iterations: this is the best network so far.`
    case 'diverged':
      return `The objective became infinite or NaN after ${iterations} iterations; leave out --no-standardize, or rescale the columns.`
  }
}

/** Why the training of a lifted network ended before every block was at rest, and which flag to try. */
export function liftedAdvice({ status, sweeps }: { status: Solution['status']; sweeps: number }): string {
  switch (status) {
    case 'solved':
      return 'Every block is at rest to the tolerance.'
    case 'iteration-limit':
      return `Stopped after ${sweeps} sweeps, before every block was at rest; raise --sweeps or --tolerance.`
    case 'time-limit':
      return `Stopped at the time limit after ${sweeps} sweeps, before every block was at rest; raise --time-limit or --tolerance.`
    case 'aborted':
      return `Stopped on request after ${sweeps} sweeps: this is the network so far.`
    case 'diverged':
      return `The objective became infinite or NaN after ${sweeps} sweeps; leave out --no-standardize, or rescale the columns.`
  }
}
