import { availableParallelism, cpus } from 'node:os'
import type { Command } from 'commander'
import { backend, backends } from '../../numerics/backends/index.ts'
import { pairs, print } from '../terminal.ts'

/** cvxnn info: what computes here, and what could. */
export function addInfo(program: Command): void {
  program
    .command('info')
    .description('what computes here: backend, library, threads, Node, cores')
    .option('--json', 'one JSON object on stdout instead of text')
    .addHelpText(
      'after',
      `
CVXNN_BACKEND chooses among the backends, CVXNN_THREADS says how many threads large products are divided among, and
CVXNN_BLAS names the library of the backend blas.

Examples:
  $ cvxnn info
  $ cvxnn info --json`,
    )
    .action(({ json }: { json?: boolean }) => {
      const info = collect()
      if (json) print(JSON.stringify(info))
      else
        for (const line of pairs([
          ['backend', `${info.backend}: ${info.library}`],
          ['threads', String(info.threads)],
          ['available', info.available.map(({ name, library }) => `${name} (${library})`).join(', ')],
          ['node', `${info.node}, ${info.platform}`],
          ['cores', `${info.cores}${info.cpu ? `, ${info.cpu}` : ''}`],
        ]))
          print(line)
    })
}

/** What the command says, as its --json has it. */
interface Info {
  readonly backend: string
  readonly library: string
  readonly threads: number
  readonly available: readonly { readonly name: string; readonly library: string }[]
  readonly node: string
  readonly platform: string
  readonly cores: number
  readonly cpu: string
}

function collect(): Info {
  const { name, description, threads } = backend()
  return {
    backend: name,
    library: description,
    threads,
    available: backends().map((one) => ({ name: one.name, library: one.description })),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? '',
  }
}
