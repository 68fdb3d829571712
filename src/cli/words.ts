import type { Verification } from '../certificates/verify.ts'
import { short } from '../plots/axes.ts'
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
    .replace(/\bsampleGates: count is\b/, '--gates is')
    .replace(callerPrefix, '$1')
    .replaceAll(/\b(missing|task|unknown|encoding): '([\w-]+)'/g, '--$1 $2')
    .replace(
      /\bencoding is (".*"), which is not known here; pass for example .*/,
      '--encoding is $1, which is not known here; give for example --encoding windows-1252.',
    )
    .replaceAll(/\bpass its encoding, for example --/g, 'give its encoding, for example --')
    .replaceAll(/\bpass what toJSON\(\) wrote/g, 'pass a model file that cvxnn fit wrote')
    .replaceAll(/\b(ignore|categorical): \[("[^"]*")\]/g, '--$1 $2')
    .replaceAll(/\b(decimal|thousands): (["'])(.)\2/g, '--$1 "$3"')
    .replaceAll(/\bpass the names as header: \[\.\.\.\]/g, 'give the names as --header <names>, separated by commas')
    .replaceAll(/\bpass stratify: false\b/g, 'train on all rows with --test 0')
    .replaceAll(/\bmaxCategories\b/g, '--max-categories')
    .replaceAll(/\btestFraction\b/g, '--test')
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

/** What a certificate says of a network: paragraphs, the first of which is the answer. */
export function certificateInWords(
  { program: certificate, scope }: Verification,
  { program, patterns, tolerance, within }: { program: string; patterns: number; tolerance: number; within: boolean },
): string[] {
  const kind = program === 'relu' ? 'ReLU network' : 'gated ReLU network'
  const others = scope === 'network' ? `${kind} of any width` : `${kind} with the same ${patterns} activation patterns`
  const bounded = certificate.relativeGap < 1
  const above = (100 * certificate.relativeGap) / (1 - certificate.relativeGap)
  const answer = bounded
    ? `No ${others} can do better on its training objective by more than ${above <= 0 ? '0' : short(above)} %.`
    : `Nothing bounds this network from below${within ? ', but it meets the conditions of an optimum' : ''}.`
  return [
    answer,
    bounded
      ? `The objective is ${certificate.primal.toPrecision(8)}, and a dual feasible point proves that it cannot be below ${certificate.dual.toPrecision(8)}.`
      : `The optimality conditions hold to ${short(Math.max(certificate.stationarity, certificate.complementarity))} of the gradient at zero.`,
    within
      ? `That is within the tolerance of ${short(tolerance)} it was trained to.`
      : `That is not within the tolerance of ${short(tolerance)} it was trained to; fit it again with more iterations.`,
    'The certificate speaks of the training problem alone. How well the network does on other rows is what the held-out scores tell.',
  ]
}

/** What is known of a network that no lower bound belongs to. */
export function unboundedInWords({
  status,
  sweeps,
  residual,
}: {
  status: Solution['status']
  sweeps: number
  residual: number
}): string[] {
  return [
    status === 'solved'
      ? 'Every block of weights and activations is at its own optimum, the others fixed; of the whole network nothing is proved.'
      : 'Nothing is proved of this network.',
    `Training ended (${status}) after ${sweeps} sweeps with a largest residual of ${short(residual)} in any block. Another start may find a better network.`,
  ]
}
