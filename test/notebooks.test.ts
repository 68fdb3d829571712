import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import UPNG from 'upng-js'
import { describe, expect, it } from 'vitest'
import {
  execute,
  firstPicture,
  folder,
  notebookNames,
  type Output,
  readNotebook,
  shownElsewhere,
} from '../notebooks/execute.ts'

/** Of a picture, so that a page of notebooks loads at once. */
const LARGEST_PICTURE = 60_000

type Shown = Extract<Output, { output_type: 'display_data' }>

function pictures(outputs: readonly Output[]): Shown[] {
  return outputs.filter((output) => output.output_type === 'display_data')
}

function file(output: Shown): Buffer {
  return Buffer.from(output.data['image/png'], 'base64')
}

/** Red, green, blue and opacity of every pixel. */
function pixels(png: Buffer): { width: number; height: number; values: Uint8Array } {
  const image = UPNG.decode(Uint8Array.from(png).buffer)
  return { width: image.width, height: image.height, values: new Uint8Array(UPNG.toRGBA8(image)[0]!) }
}

/** Without the pixels: what was printed, and what pictures were drawn from. */
function plain(outputs: readonly Output[]): (string | { svg: string; title: string })[] {
  return outputs.map((output) =>
    output.output_type === 'stream'
      ? output.text.join('')
      : { svg: output.metadata.cvxnn.svg, title: output.data['text/plain'].join('') },
  )
}

/** What is wrong with the types of a notebook's cells, taken together, by the line: kernels refuse to run such a cell. */
function typeErrors(cells: Readonly<Record<string, string>>): string[] {
  const texts = new Map(Object.entries(cells).map(([name, text]) => [join(folder, `${name}.mts`), text]))
  const kernel = [join(folder, 'kernel.ts')]
  const options: ts.CompilerOptions = {
    ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleDetection: ts.ModuleDetectionKind.Force },
    ...{ moduleResolution: ts.ModuleResolutionKind.Bundler, allowImportingTsExtensions: true, noEmit: true },
    ...{ strict: false, skipLibCheck: true, types: ['node'] },
    paths: { cvxnn: [join(folder, '../src/index.ts')], 'cvxnn/plots': kernel, tslab: kernel },
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
  }
  const program = ts.createProgram([...texts.keys()], options, host)
  return [...texts.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)!
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ start, messageText }) => {
      const line = source.text.slice(0, start).split('\n').at(-1)! + source.text.slice(start).split('\n')[0]!
      return `${path}: ${line.trim()}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

/** Every name that a cell declares, at any depth. */
function declared(file: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    const named = ts.isVariableDeclaration(node) || ts.isBindingElement(node) || ts.isParameter(node)
    if ((named || ts.isFunctionDeclaration(node)) && node.name && ts.isIdentifier(node.name)) names.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}

describe('every notebook', () => {
  for (const name of notebookNames()) {
    const notebook = readNotebook(name)
    const codes = notebook.cells.filter((cell) => cell.cell_type === 'code')

    it(`asks a question, answers it in its first cell, and shows the answer as a picture in its second: ${name}`, () => {
      const [first, second] = notebook.cells
      expect(first!.cell_type).toBe('markdown')
      expect(first!.source.join('')).toMatch(/^# .+\?\n\n\*\*/)
      expect(second!.cell_type).toBe('code')
      expect(pictures(second!.outputs!)).toHaveLength(1)
    })

    it(`opens in Jupyter with a TypeScript kernel, whole: ${name}`, () => {
      const { cells, metadata, nbformat, nbformat_minor } = notebook
      expect([nbformat, nbformat_minor]).toEqual([4, 5])
      expect(metadata.kernelspec).toEqual({ display_name: 'TypeScript', language: 'typescript', name: 'tslab' })
      expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length)
      for (const { id, cell_type, source, outputs, execution_count } of cells) {
        expect(id).toMatch(/^[\w-]{1,64}$/)
        // No line but the last is without its end, and that has none.
        expect(source.every((line, k) => line.endsWith('\n') === k < source.length - 1)).toBe(true)
        expect(Array.isArray(outputs)).toBe(cell_type === 'code')
        expect(Number.isInteger(execution_count)).toBe(cell_type === 'code')
      }
    })

    it(`puts out, cell by cell, what it shows: ${name}`, async () => {
      // After a change: npm run notebooks
      const outputs = await execute(notebook)
      expect(codes.map((cell) => plain(cell.outputs!))).toEqual(outputs.map(plain))
      const [kept, drawn] = [codes.flatMap((cell) => pictures(cell.outputs!)), outputs.flatMap(pictures)]
      kept.forEach((picture, k) => {
        expect(file(picture).length).toBeLessThan(LARGEST_PICTURE)
        // Another machine may round a shade otherwise; a picture of something else differs in whole lines and letters.
        const [shown, now] = [pixels(file(picture)), pixels(file(drawn[k]!))]
        expect([shown.width, shown.height]).toEqual([now.width, now.height])
        const apart = shown.values.filter((value, at) => Math.abs(value - now.values[at]!) > 48).length
        expect(apart / shown.values.length).toBeLessThan(1e-3)
      })
    }, 120_000)
  }

  it('is well typed', () => {
    const code = (name: string): string =>
      readNotebook(name)
        .cells.filter((cell) => cell.cell_type === 'code')
        .map((cell) => cell.source.join(''))
        .join('\n')
    // One more that is not, so that the check is seen to see.
    const wrong = "import { fromRows } from 'cvxnn'\nfromRows('no rows')"
    const all = Object.fromEntries(notebookNames().map((name) => [name, code(name)]))
    expect(typeErrors({ ...all, wrong })).toEqual([expect.stringContaining("fromRows('no rows'): Argument of type")])
  })

  it('uses nothing of an earlier cell in shorthand, which the kernel of tslab cannot follow: { X: X }, not { X }', () => {
    for (const name of notebookNames()) {
      const earlier = new Set<string>()
      for (const { cell_type, source } of readNotebook(name).cells) {
        if (cell_type !== 'code') continue
        const file = ts.createSourceFile('cell.ts', source.join(''), ts.ScriptTarget.Latest)
        const own = declared(file)
        const visit = (node: ts.Node): void => {
          if (ts.isShorthandPropertyAssignment(node) && !own.has(node.name.text))
            expect(earlier, `${name}: { ${node.name.text} }`).not.toContain(node.name.text)
          ts.forEachChild(node, visit)
        }
        visit(file)
        for (const one of own) earlier.add(one)
      }
    }
  })

  it('stands in the table of the folder, with its question', () => {
    const table = readFileSync(join(folder, 'README.md'), 'utf8')
    for (const name of notebookNames()) {
      const question = /^# (.+\?)/.exec(readNotebook(name).cells[0]!.source.join(''))![1]
      expect(table).toContain(`| [${name}](${name}) | ${question} |`)
    }
  })
})

describe('pictures that the README shows', () => {
  it('are those of the notebooks, and no others', () => {
    const readme = readFileSync(join(folder, '../README.md'), 'utf8')
    const shown = [...readme.matchAll(/!\[[^\]]+\]\(notebooks\/([^)]+)\)/g)].map(([, file]) => file!)
    expect(shown).toEqual(Object.keys(shownElsewhere))
    for (const [file, from] of Object.entries(shownElsewhere))
      expect(readFileSync(join(folder, file)).equals(firstPicture(readNotebook(from)))).toBe(true)
  })
})

describe('a check of notebooks', () => {
  const cell = (text: string): Parameters<typeof execute>[0] => ({
    cells: [{ cell_type: 'code', metadata: {}, source: [text] }],
  })

  it('sees text and pictures in their order, and tells a picture from another', async () => {
    const drawn = (value: number): string =>
      `import { display } from 'tslab'
import { linePlot, toPng } from 'cvxnn/plots'
console.log('before')
display.png(await toPng(await linePlot({ a: { x: [0, 1], y: [0, ${value}] } }, { title: 'A <line>' })))
console.log('after')`
    const [one, same, other] = await Promise.all([1, 1, 1.01].map((value) => execute(cell(drawn(value)))))
    expect(one![0]!.map(({ output_type }) => output_type)).toEqual(['stream', 'display_data', 'stream'])
    expect(one!.map(plain)).toEqual(same!.map(plain))
    expect(one!.map(plain)).not.toEqual(other!.map(plain))
  })

  it('fails where a cell does', async () => {
    await expect(execute(cell("throw new Error('no')"))).rejects.toThrow(/no/)
  })
})
