import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const folder = join(root, 'notebooks')

interface Cell {
  cell_type: 'markdown' | 'code'
  source: string[]
  outputs?: { output_type: string; name?: string; text?: string[] }[]
}

/** A line between the cells' outputs that no cell prints. */
const fence = '\u241e'

describe('every notebook', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ipynb'))) {
    const { cells } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { cells: Cell[] }
    const codes = cells.filter((cell) => cell.cell_type === 'code')

    it(`asks a question and answers it in its first cell: ${name}`, () => {
      expect(cells[0]!.cell_type).toBe('markdown')
      expect(cells[0]!.source.join('')).toMatch(/^# .+\?\n\n\*\*/)
    })

    it(`prints, cell by cell, what it shows: ${name}`, async () => {
      // An update of the outputs: CVXNN_UPDATE=1 npx vitest run --config test/vitest.config.ts test/notebooks.test.ts
      const printed = await run(codes.map((cell) => cell.source.join('')))
      if (process.env.CVXNN_UPDATE) await update(name, printed)
      else expect(codes.map((cell) => cell.outputs!.flatMap(({ text }) => text ?? []).join(''))).toEqual(printed)
    })
  }
})

/** Runs the cells as one module against the sources and returns what each printed. */
async function run(cells: readonly string[]): Promise<string[]> {
  const place = await mkdtemp(join(tmpdir(), 'cvxnn-notebook-'))
  try {
    const module = cells.map((text) => `${text}\nconsole.log(${JSON.stringify(fence)})`).join('\n')
    const file = join(place, 'notebook.mts')
    await writeFile(file, module.replaceAll("from 'cvxnn'", `from ${JSON.stringify(join(root, 'src/index.ts'))}`))
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [file])
    return stdout.split(`${fence}\n`).slice(0, -1)
  } finally {
    await rm(place, { recursive: true })
  }
}

async function update(name: string, printed: readonly string[]): Promise<void> {
  const path = join(folder, name)
  const notebook = JSON.parse(readFileSync(path, 'utf8')) as { cells: (Cell & { execution_count?: number })[] }
  const codes = notebook.cells.filter((cell) => cell.cell_type === 'code')
  codes.forEach((cell, k) => {
    const text = printed[k]!.split(/(?<=\n)/)
    cell.execution_count = k + 1
    cell.outputs = printed[k] === '' ? [] : [{ output_type: 'stream', name: 'stdout', text }]
  })
  await writeFile(path, `${JSON.stringify(notebook, null, 1)}\n`)
}
