import type { Command } from 'commander'

/**
 * `fit <images> --program ccnn ...` as `fit-images <images> ...`, and every other line of arguments as it is.
 *
 * Image files and tables are described by different options, some of one name (`--test <images>`, `--test <share>`), so one
 * parser cannot read both: the program's name decides which command's parser does.
 *
 * @throws Error in one sentence when an option belongs to the other kind of data.
 */
export function byProgram(cvxnn: Command, args: readonly string[]): string[] {
  if (args[0] !== 'fit') return [...args]
  const { rest, program } = withoutProgram(args.slice(1))
  const images = program === 'ccnn'
  const [table, ccnn] = ['fit', 'fit-images'].map((name) => cvxnn.commands.find((command) => command.name() === name)!)
  for (const argument of optionsAmong(rest)) {
    const ofTables = named(table!, argument)
    const ofImages = named(ccnn!, argument)
    if (images && ofTables && !ofImages)
      throw new Error(`${ofTables} does not belong to --program ccnn, which trains on images; leave it out.`)
    if (!images && ofImages && !ofTables)
      throw new Error(`${ofImages} belongs to --program ccnn, which trains on images; add that, or leave it out.`)
  }
  return images ? ['fit-images', ...rest] : [...args]
}

/** The value of `--program`, the last one when there are several, and the arguments without it. */
function withoutProgram(args: readonly string[]): { rest: string[]; program: string | undefined } {
  const rest: string[] = []
  let program: string | undefined
  const end = optionsEnd(args)
  for (let k = 0; k < args.length; k++) {
    const argument = args[k]!
    if (k < end && argument === '--program') program = args[++k]
    else if (k < end && argument.startsWith('--program=')) program = argument.slice('--program='.length)
    else rest.push(argument)
  }
  return { rest, program }
}

/** `--name` of `--name=value`, `-n` of `-nvalue`. */
function optionsAmong(args: readonly string[]): string[] {
  return args
    .slice(0, optionsEnd(args))
    .filter((argument) => /^--?[a-z]/.test(argument))
    .map((argument) => (argument.startsWith('--') ? argument.split('=')[0]! : argument.slice(0, 2)))
}

/** What stands behind `--` is no option. */
function optionsEnd(args: readonly string[]): number {
  const end = args.indexOf('--')
  return end === -1 ? args.length : end
}

/** The option's long name in that command, if it has it. */
function named(command: Command, flag: string): string | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short)?.long ?? undefined
}
