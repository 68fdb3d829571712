import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const docs = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)]

/** What fragments take from the reader's own project. */
const reader = `import type { ConvexProgram, Dataset, GatedReluNetwork } from 'cvxnn'
declare global {
  const rows: number[][], labels: string[], y: number[], lambda: number, signal: AbortSignal
  const dataset: Dataset, program: ConvexProgram<GatedReluNetwork>
}
`

/** The examples of all pages, each a file that stands beside its page. */
const examples = new Map(
  pages.flatMap((page) =>
    [...readFileSync(root + page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
      ([, code], k): [string, string] => [`${root}${page.replace('.md', '')}-${k + 1}.mts`, withImports(code!)],
    ),
  ),
)

/** The README leaves the import of its last fragment to the reader. */
function withImports(code: string): string {
  const names = /^import /m.test(code) ? [] : ['gatedReluProgram', 'openIdx', 'sampleGates', 'solve']
  return `${names.length > 0 ? `import { ${names.join(', ')} } from 'cvxnn'\n` : ''}${code}\nexport {}\n`
}

describe('the examples of README and docs', () => {
  it('compile in a strict project', () => {
    const files = new Map([...examples, [`${root}reader.mts`, reader]])
    const options: ts.CompilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, types: ['node'] },
      ...{ target: ts.ScriptTarget.ES2023, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] },
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      paths: { cvxnn: [`${root}src/index.ts`], 'cvxnn/plots': [`${root}src/plots/index.ts`] },
    }
    const host = ts.createCompilerHost(options)
    const { fileExists, readFile, getSourceFile } = host
    host.fileExists = (name) => files.has(name) || fileExists(name)
    host.readFile = (name) => files.get(name) ?? readFile(name)
    host.getSourceFile = (name, language, ...rest) => {
      const text = files.get(name)
      return text === undefined ? getSourceFile(name, language, ...rest) : ts.createSourceFile(name, text, language)
    }
    const program = ts.createProgram([...files.keys()], options, host)
    const found = [...examples.keys()].flatMap((name) => {
      const file = program.getSourceFile(name)!
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
        ({ messageText, start = 0 }) =>
          `${name.slice(root.length)}, line ${file.getLineAndCharacterOfPosition(start).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      )
    })
    expect(examples.size).toBeGreaterThan(15)
    expect(found).toEqual([])
  })
})
