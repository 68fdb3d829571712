import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cellMark, type Picture, pictureMark } from './kernel.ts'

/** The folder of the notebooks. */
export const folder: string = fileURLToPath(new URL('.', import.meta.url))

/** Pictures that the README shows: a file in this folder, and the notebook whose first picture it is. */
export const shownElsewhere: Readonly<Record<string, string>> = {
  'pictures/convex-is-non-convex.png': 'convex-is-non-convex.ipynb',
}

/** One output of a cell, as nbformat 4.5 writes it: text it printed, or a picture it showed. */
export type Output =
  | { output_type: 'stream'; name: 'stdout'; text: string[] }
  | {
      output_type: 'display_data'
      data: { 'image/png': string; 'text/plain': string[] }
      /** What the picture was drawn from, so that a check need not compare pixels. */
      metadata: { cvxnn: { svg: string } }
    }

export interface Cell {
  id?: string
  cell_type: 'markdown' | 'code'
  metadata: object
  source: string[]
  execution_count?: number | null
  outputs?: Output[]
}

export interface Notebook {
  cells: Cell[]
  metadata: { kernelspec: { name: string; language: string; display_name: string }; language_info: object }
  nbformat: number
  nbformat_minor: number
}

export function notebookNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ipynb'))
    .sort()
}

export function readNotebook(name: string): Notebook {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Notebook
}

/** Runs the code cells in order as one module, against the sources, and returns what each put out. */
export async function execute({ cells }: Pick<Notebook, 'cells'>): Promise<Output[][]> {
  const codes = cells.filter((cell) => cell.cell_type === 'code').map((cell) => cell.source.join(''))
  const place = await mkdtemp(join(tmpdir(), 'cvxnn-notebook-'))
  try {
    const sources = { cvxnn: '../src/index.ts', 'cvxnn/plots': 'kernel.ts', tslab: 'kernel.ts' }
    let module = codes.map((text) => `${text}\nconsole.log(${JSON.stringify(cellMark)})`).join('\n')
    for (const [name, file] of Object.entries(sources))
      module = module.replaceAll(`from '${name}'`, `from ${JSON.stringify(join(folder, file))}`)
    const file = join(place, 'notebook.mts')
    await writeFile(file, module)
    const tsx = join(folder, '../node_modules/.bin/tsx')
    const { stdout } = await promisify(execFile)(tsx, [file], { maxBuffer: 64 << 20 })
    return stdout.split(`${cellMark}\n`).slice(0, -1).map(outputsOf)
  } finally {
    await rm(place, { recursive: true })
  }
}

/** Text and pictures in the order in which they came. */
function outputsOf(printed: string): Output[] {
  const outputs: Output[] = []
  for (const line of printed.split(/(?<=\n)/).filter(Boolean)) {
    const last = outputs.at(-1)
    if (line.startsWith(pictureMark)) {
      const { png, svg, title } = JSON.parse(line.slice(pictureMark.length)) as Picture
      outputs.push({
        output_type: 'display_data',
        data: { 'image/png': png, 'text/plain': [title] },
        metadata: { cvxnn: { svg } },
      })
    } else if (last?.output_type === 'stream') last.text.push(line)
    else outputs.push({ output_type: 'stream', name: 'stdout', text: [line] })
  }
  return outputs
}

/** Executes a notebook and writes what its cells put out into its file. A picture whose source is the same stays as it is. */
export async function refresh(name: string): Promise<void> {
  const notebook = readNotebook(name)
  const outputs = await execute(notebook)
  const codes = notebook.cells.filter((cell) => cell.cell_type === 'code')
  codes.forEach((cell, k) => {
    const before = (cell.outputs ?? []).filter((output) => output.output_type === 'display_data')
    cell.execution_count = k + 1
    cell.outputs = outputs[k]!.map(
      (output) =>
        before.find(
          (one) => output.output_type === 'display_data' && one.metadata.cvxnn?.svg === output.metadata.cvxnn.svg,
        ) ?? output,
    )
  })
  notebook.cells.forEach((cell, k) => {
    cell.id = `cell-${k + 1}`
  })
  await writeFile(join(folder, name), `${JSON.stringify(notebook, null, 1)}\n`)
  for (const [file, from] of Object.entries(shownElsewhere))
    if (from === name) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), firstPicture(notebook))
    }
}

/** The PNG file of the first picture that a notebook shows. */
export function firstPicture({ cells }: Pick<Notebook, 'cells'>): Buffer {
  for (const output of cells.flatMap(({ outputs = [] }) => outputs))
    if (output.output_type === 'display_data') return Buffer.from(output.data['image/png'], 'base64')
  throw new Error('the notebook shows no picture.')
}

// npm run notebooks [names]
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2)
  for (const name of wanted.length > 0 ? wanted : notebookNames()) {
    await refresh(name)
    console.log(`${name}: executed`)
  }
}
