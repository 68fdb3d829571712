import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Import {
  /** The file that imports, from the root, with forward slashes. */
  readonly from: string
  /** What it imports: a file of the project, or a package's name. */
  readonly to: string
  /** Whether nothing but types is taken, so that nothing is left of it at run time. */
  readonly typeOnly: boolean
}

const parts = ['operators', 'kernels', 'losses', 'penalties', 'sets', 'gates', 'layers', 'models', 'data']

/** What each tier may import; `types` and a tier's own files go without saying, but for types itself. */
const allowed: Record<string, readonly string[]> = {
  types: [],
  numerics: [],
  ...Object.fromEntries(parts.map((part) => [part, ['numerics', ...parts]])),
  certificates: ['numerics'],
  programs: ['numerics', ...parts],
  lifted: ['numerics', ...parts],
  solvers: ['numerics', 'certificates'],
  interchange: ['numerics', ...parts],
  estimators: ['numerics', ...parts, 'certificates', 'programs', 'lifted', 'solvers'],
  plots: ['numerics', 'models', 'estimators'],
  sweeps: ['numerics', ...parts, 'certificates', 'programs', 'lifted', 'solvers', 'estimators'],
  cli: [
    'numerics',
    ...parts,
    'certificates',
    'programs',
    'lifted',
    'solvers',
    'estimators',
    'interchange',
    'sweeps',
    'plots',
  ],
  index: ['numerics', ...parts, 'certificates', 'programs', 'lifted', 'solvers', 'estimators', 'interchange', 'sweeps'],
}

const files = [...sources('src'), ...sources('solvers')]
const imports = files.flatMap((from) => importsOf(from, readFileSync(join(root, from), 'utf8')))
const inside = imports.filter(({ to }) => files.includes(to))

describe('imports under src and solvers', () => {
  it('are found at all: there are files of every tier, and imports between them', () => {
    expect(new Set(files.map(tierOf))).toEqual(new Set(Object.keys(allowed)))
    expect(inside.length).toBeGreaterThan(files.length)
  })

  it('name files that exist, by their full name', () => {
    expect(imports.filter(({ to }) => /^(src|solvers|\.)/.test(to) && !files.includes(to))).toEqual([])
  })

  it('point down: no tier reads one that is above it', () => {
    expect(inside.filter(upward).map(written)).toEqual([])
  })

  it('leave src/index.ts to those outside', () => {
    expect(inside.filter(({ to }) => to === 'src/index.ts').map(written)).toEqual([])
  })

  it('let the page use the library as everyone does, and the part of it outside the worker hardly any of it', () => {
    const read = sources('site')
      .flatMap((from) => importsOf(from, readFileSync(join(root, from), 'utf8')))
      .filter(({ to, typeOnly }) => !typeOnly && /^(src|solvers)\//.test(to))
    expect(read.length).toBeGreaterThan(2)
    const small = ['src/numerics/random.ts', 'src/numerics/turn.ts']
    const inWorker = ['site/worker.ts', 'site/read-sample.ts']
    expect(
      read
        .filter(({ from, to }) => !small.includes(to) && !(to === 'src/index.ts' && inWorker.includes(from)))
        .map(written),
    ).toEqual([])
  })

  it('go round in no circle of files, types apart', () => {
    expect(circle(inside.filter(({ typeOnly }) => !typeOnly))).toEqual([])
  })
})

describe('a check of imports', () => {
  const made = (from: string, text: string): Import[] => importsOf(from, text)

  it('sees every form: imports, exports from, side effects, import() and types of import(), but no comments', () => {
    const text = [
      "import a, { type B } from './a.ts'",
      "import type { C } from './c.ts'",
      "export * from '../d/d.ts'",
      "export type { E } from './e.ts'",
      "import './f.ts'",
      "const g = await import('./g.ts')",
      "type H = import('./h.ts').H",
      "import { type I } from './i.ts'",
      "// import './comment.ts'",
      "import fs from 'node:fs'",
    ].join('\n')
    expect(made('src/x/x.ts', text).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ['src/x/a.ts', false],
      ['src/x/c.ts', true],
      ['src/d/d.ts', false],
      ['src/x/e.ts', true],
      ['src/x/f.ts', false],
      ['src/x/g.ts', false],
      ['src/x/h.ts', true],
      ['src/x/i.ts', true],
      ['node:fs', false],
    ])
  })

  it.each([
    ['src/types.ts', 'src/numerics/random.ts'],
    ['src/numerics/bits.ts', 'src/gates/gates.ts'],
    ['src/sets/nonnegative.ts', 'src/certificates/certify.ts'],
    ['src/certificates/certify.ts', 'src/penalties/l1.ts'],
    ['solvers/solve.ts', 'src/programs/relu.ts'],
    ['solvers/solve.ts', 'src/sets/nonnegative.ts'],
    ['src/programs/relu.ts', 'solvers/solve.ts'],
    ['src/programs/relu.ts', 'src/certificates/certify.ts'],
    ['src/estimators/train.ts', 'src/cli/main.ts'],
    ['src/estimators/train.ts', 'src/sweeps/bullmq.ts'],
    ['src/cli/main.ts', 'src/index.ts'],
  ])('%s may not read %s', (from, to) => {
    expect(upward({ from, to, typeOnly: true })).toBe(true)
  })

  it.each([
    ['src/numerics/bits.ts', 'src/types.ts'],
    ['src/certificates/verify.ts', 'src/certificates/certify.ts'],
    ['src/penalties/l1.ts', 'src/sets/nonnegative.ts'],
    ['solvers/solve.ts', 'src/certificates/certify.ts'],
    ['src/estimators/train.ts', 'solvers/index.ts'],
    ['src/index.ts', 'src/estimators/index.ts'],
  ])('%s may read %s', (from, to) => {
    expect(upward({ from, to, typeOnly: false })).toBe(false)
  })

  it('finds a circle of three', () => {
    const edge = (from: string, to: string): Import => ({ from, to, typeOnly: false })
    expect(circle([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('d', 'a')])).toEqual(['a', 'b', 'c', 'a'])
    expect(circle([edge('a', 'b'), edge('b', 'c'), edge('a', 'c')])).toEqual([])
  })
})

describe('names', () => {
  it('no folder is called utils, helpers or common', () => {
    const folders = ['src', 'solvers', 'test', 'bench'].flatMap((top) =>
      readdirSync(join(root, top), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name.toLowerCase()),
    )
    expect(folders.length).toBeGreaterThan(10)
    expect(folders.filter((name) => /^(utils?|helpers?|commons?)$/.test(name))).toEqual([])
  })

  it('solvers know nothing of the networks they train: no code of theirs says relu', () => {
    for (const file of sources('solvers'))
      expect(
        wordsOf(readFileSync(join(root, file), 'utf8')).filter((word) => /relu/i.test(word)),
        file,
      ).toEqual([])
    expect(wordsOf("const a = 'reluProgram' // relu")).toContain("'reluProgram'")
    expect(wordsOf("const a = 'x' // relu").some((word) => /relu/i.test(word))).toBe(false)
  })
})

/** The source files below a folder. */
function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** The tier of a file: its folder under src, `solvers`, or the name of a file right in src. */
function tierOf(file: string): string {
  const [top, second] = file.split('/') as [string, string]
  return top === 'solvers' ? 'solvers' : second.replace(/\.ts$/, '')
}

function upward({ from, to }: Import): boolean {
  const [reader, read] = [tierOf(from), tierOf(to)]
  if (reader === 'types' || read === 'index') return true
  return read !== 'types' && read !== reader && !allowed[reader]!.includes(read)
}

/** Every import of a file, in order. */
function importsOf(from: string, text: string): Import[] {
  const found: Import[] = []
  const take = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return
    const to = specifier.text.startsWith('.')
      ? posix.join(dirname(from).split(sep).join('/'), specifier.text)
      : specifier.text
    found.push({ from, to, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) take(node.moduleSpecifier, takesTypesOnly(node.importClause))
    else if (ts.isExportDeclaration(node)) take(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) take(node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      take(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(from, text, ts.ScriptTarget.Latest))
  return found
}

function takesTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false
  if (clause.isTypeOnly) return true
  const names = clause.namedBindings
  return (
    !clause.name && names !== undefined && ts.isNamedImports(names) && names.elements.every((one) => one.isTypeOnly)
  )
}

/** The first circle met, as the files on it with the first one repeated; empty when there is none. */
function circle(edges: readonly Import[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    path.push(file)
    for (const other of next.get(file) ?? []) {
      const found = visit(other)
      if (found.length > 0) return found
    }
    path.pop()
    done.add(file)
    return []
  }
  for (const file of next.keys()) {
    const found = visit(file)
    if (found.length > 0) return found
  }
  return []
}

/** The words of a file without its comments. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  const visit = (node: ts.Node): void => {
    if (node.getChildCount() === 0) words.push(node.getText())
    for (const child of node.getChildren()) if (child.kind !== ts.SyntaxKind.JSDoc) visit(child)
  }
  visit(ts.createSourceFile('words.ts', text, ts.ScriptTarget.Latest, true))
  return words
}

function written({ from, to }: Import): string {
  return `${from} reads ${to}`
}
