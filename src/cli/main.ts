#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addDemo } from './commands/demo.ts'
import { addFit } from './commands/fit.ts'
import { addPath } from './commands/path.ts'
import { addPredict } from './commands/predict.ts'
import { addVerify } from './commands/verify.ts'
import { remark } from './terminal.ts'

/** Exit code for input that cannot be used: wrong flags, files, cells. */
const WRONG_INPUT = 2

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('cvxnn')
  .description('Train neural networks by convex optimisation, and know how close to optimal every answer is.')
  .version(version)
  .showHelpAfterError('(add --help for the options and examples)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()

for (const add of [addFit, addPredict, addPath, addVerify, addDemo]) add(program)
// exitOverride is not inherited by commands that were added before it was set; set it on each.
for (const command of program.commands)
  command.exitOverride().showHelpAfterError('(add --help for the options and examples)')

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, is no failure.
  if (error.code === 'EPIPE') process.exit()
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_INPUT
  else {
    remark(`cvxnn: ${(error as Error).message}`)
    process.exitCode = WRONG_INPUT
  }
}
