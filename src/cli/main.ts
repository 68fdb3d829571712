#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { addDemo } from './commands/demo.ts'
import { addExport } from './commands/export.ts'
import { addFit } from './commands/fit.ts'
import { addFitImages } from './commands/fit-images.ts'
import { addInfo } from './commands/info.ts'
import { addPath } from './commands/path.ts'
import { addPredict } from './commands/predict.ts'
import { addReport } from './commands/report.ts'
import { addVerify } from './commands/verify.ts'
import { addWorker } from './commands/worker.ts'
import { byProgram } from './fit-program.ts'
import { remark } from './terminal.ts'
import { inFlags } from './words.ts'

/** Exit codes: not solved to the tolerance; input that cannot be used: wrong flags, files, cells. */
const NOT_SOLVED = 1
const WRONG_INPUT = 2

// By the package's own name, so that it is found from the built file and from the source alike.
const { version } = createRequire(import.meta.url)('cvxnn/package.json') as { version: string }

const program = new Command('cvxnn')
  .description('Train neural networks by convex optimisation, and know how close to optimal every answer is.')
  .version(version)
  .showHelpAfterError('(add --help for the options and examples)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()

for (const add of [
  addFit,
  addFitImages,
  addPredict,
  addPath,
  addVerify,
  addReport,
  addExport,
  addWorker,
  addDemo,
  addInfo,
])
  add(program)

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, is no failure.
  if (error.code === 'EPIPE') process.exit()
  remark(`cvxnn: cannot write the output (${error.code}); check what it is written to.`)
  process.exit(WRONG_INPUT)
})
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  // Without anyone to read the remarks, the work goes on.
  if (error.code !== 'EPIPE') throw error
})

try {
  await program.parseAsync(byProgram(program, process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_INPUT
  // Ctrl-C where there is nothing to keep.
  else if ((error as Error).name === 'AbortError') process.exitCode = NOT_SOLVED
  else {
    remark(`cvxnn: ${inFlags((error as Error).message)}`)
    process.exitCode = WRONG_INPUT
  }
}
