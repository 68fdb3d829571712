import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../support/build.ts'

const run = promisify(execFile)
const options = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
let folder = ''
let source = ''
let project = ''
let packed: { filename: string; files: { path: string }[] }

/** Builds what the sources say now, away from `dist`, which another process may be rebuilding. */
async function build(): Promise<void> {
  source = join(folder, 'source')
  await mkdir(source)
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'tsconfig.json', 'src', 'solvers'])
    await cp(join(root, name), join(source, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'))
  await run('npm', ['run', '--silent', 'build'], { cwd: source })
}

/** A project that has nothing but the package: its dependencies in the versions of our lock file, so that it stays so. */
async function install(): Promise<void> {
  project = join(folder, 'project')
  await mkdir(project)
  await copyFile(join(source, packed.filename), join(project, packed.filename))
  const dependencies = { cvxnn: `file:${packed.filename}` }
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const packages = { '': { dependencies }, ...(await locked()) }
  await writeFile(join(project, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  await run('npm', ['install', packed.filename, ...options], { cwd: project })
}

interface Locked {
  dependencies?: Record<string, string>
}

/** The part of our lock file that the package needs when it runs: its dependencies, theirs, and so on. */
async function locked(): Promise<Record<string, Locked>> {
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(
    await readFile(join(root, 'package-lock.json'), 'utf8'),
  )
  const needed: Record<string, Locked> = {}
  const visit = (from: string): void => {
    for (const name of Object.keys(packages[from]!.dependencies ?? {})) {
      // As Node looks for it: inside `from`, then one folder further out, and so on.
      const folders = from
        .split('/node_modules/')
        .map((_, k, all) => all.slice(0, all.length - k).join('/node_modules/'))
      const places = [
        ...folders.filter(Boolean).map((outer) => `${outer}/node_modules/${name}`),
        `node_modules/${name}`,
      ]
      const found = places.find((place) => place in packages)
      if (!found) throw new Error(`package-lock.json has no ${name}, which ${from || 'the package'} needs.`)
      if (found in needed) continue
      needed[found] = packages[found]!
      visit(found)
    }
  }
  visit('')
  return needed
}

/** The package as one script for browsers, which sets `cvxnn`, without mathjs: an optional part that is not installed. */
async function bundled(bundler: 'esbuild' | 'vite', entry: string): Promise<string> {
  if (bundler === 'esbuild') {
    const { outputFiles } = await esbuild({
      ...{ entryPoints: [entry], bundle: true, write: false, logLevel: 'silent' },
      ...{ platform: 'browser', format: 'iife', globalName: 'cvxnn' },
    })
    return outputFiles[0]!.text
  }
  const lib = { entry, name: 'cvxnn', formats: ['iife' as const] }
  const built = await vite({
    ...{ root: project, configFile: false, logLevel: 'silent' },
    build: { lib, write: false, minify: false },
  })
  return (built as { output: { code: string }[] }[])[0]!.output[0]!.code
}

/** What the files of a folder take. */
async function bytesUnder(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size))
  return sizes.reduce((total, size) => total + size, 0)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cvxnn-package-'))
  await build()
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: source })
  ;[packed] = JSON.parse(stdout)
  await install()
}, 120_000)

afterAll(() => rm(folder, { recursive: true }))

describe('the package', () => {
  it('holds the built files, the README, the licence and the list of changes, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path)
    const top = paths.filter((path) => !path.startsWith('dist/'))
    expect(top.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    for (const built of ['index.js', 'index.d.ts', 'solvers.js', 'solvers.d.ts', 'plots.js', 'plots.d.ts', 'cli.js'])
      expect(paths).toContain(`dist/${built}`)
    expect(paths.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts|js\.map)$/.test(path))).toEqual([])
  })

  it('brings along what it needs, no optional peer and no tool of its development', async () => {
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const installed = await readdir(join(project, 'node_modules'))
    for (const name of Object.keys(dependencies)) expect(installed).toContain(name)
    for (const name of ['mathjs', 'tinypool', 'bullmq', 'ioredis', '@stdlib', '@observablehq', 'linkedom', '@resvg'])
      expect(installed).not.toContain(name)
    for (const name of ['typescript', 'vitest', 'tsx', '@types']) expect(installed).not.toContain(name)
  })

  it('has the version that the citation and the list of changes have', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(await readFile(join(root, 'CITATION.cff'), 'utf8')).toContain(`\nversion: ${version}\n`)
    expect(await readFile(join(root, 'CHANGELOG.md'), 'utf8')).toContain(`\n## ${version}\n`)
  })

  it('is as small as the README says, with as few packages', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8')
    const [, most, own, direct, all] =
      /less than (\d+) MB in all: cvxnn with its source maps is ([\d.]+) MB, and (\d+) direct dependencies make (\d+) packages/
        .exec(readme)!
        .map(Number)
    const { packages } = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'))
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const brought = Object.keys(packages).filter((path) => path !== '' && path !== 'node_modules/cvxnn')
    expect({ direct, all }).toEqual({ direct: Object.keys(dependencies).length, all: brought.length })
    expect(await bytesUnder(join(project, 'node_modules'))).toBeLessThan(most! * 1e6)
    expect(await bytesUnder(join(project, 'node_modules/cvxnn'))).toBeLessThan((own! + 0.5) * 1e6)
  })

  it("runs the README's first example as JavaScript, and prints what the README says", async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8')
    const [, example] = /```ts\n([\s\S]*?)```/.exec(readme)!
    const [, output] = /```text\n([\s\S]*?)```/.exec(readme)!
    await writeFile(join(project, 'example.mjs'), example!)
    expect((await run(process.execPath, ['example.mjs'], { cwd: project })).stdout).toBe(output)
  })

  it('has types for that example and for solvers, under strict and without those of Node', async () => {
    const [, example] = /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, 'README.md'), 'utf8'))!
    await writeFile(join(project, 'example.mts'), example!)
    await writeFile(
      join(project, 'solvers.mts'),
      `import type { ConvexProgram, Solver } from 'cvxnn'
import { type PathPoint, pathPlot } from 'cvxnn/plots'
import { proximalGradient, solveSync } from 'cvxnn/solvers'
export const picture = (points: readonly PathPoint[]): Promise<string> => pathPlot(points, { theme: 'dark' })
export const solver: Solver = proximalGradient()
export const gap = (program: ConvexProgram): number => solveSync(program, { solver }).certificate.relativeGap
// @ts-expect-error a solver is no number
export const wrong: number = proximalGradient()
`,
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2022', types: [] }
    const files = ['example.mts', 'solvers.mts']
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const said = await run(process.execPath, [tsc, '-p', project]).catch((error: { stdout: string }) => error)
    expect(said.stdout).toBe('')
  })

  it("exports 'cvxnn/solvers', the same functions as 'cvxnn', and nothing by any other path", async () => {
    const script = `
      const all = await import('cvxnn')
      const solvers = await import('cvxnn/solvers')
      const names = Object.keys(solvers)
      const hidden = await import('cvxnn/dist/cli.js').then(() => 'found', (error) => error.code)
      console.log(JSON.stringify({ names, same: names.every((name) => all[name] === solvers[name]), hidden }))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project })
    const { names, same, hidden } = JSON.parse(stdout)
    expect(names).toEqual(expect.arrayContaining(['solve', 'solveSync', 'steps', 'sweep', 'proximalGradient']))
    expect({ same, hidden }).toEqual({ same: true, hidden: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  })

  it.each(['esbuild', 'vite'] as const)(
    'is bundled by %s for a browser, where it needs nothing of Node',
    async (bundler) => {
      const entry = join(project, 'browser.mjs')
      await writeFile(entry, "export * from 'cvxnn'\n")
      const bundle = await bundled(bundler, entry)
      // esbuild refuses modules of Node, and vite leaves a mark for them.
      expect(bundle).not.toContain('__vite-browser-external')
      // What every browser has beside the language itself.
      const names = ['AbortController', 'Blob', 'ReadableStream', 'TextDecoder', 'TextEncoder', 'URL'] as const
      const functions = ['atob', 'clearTimeout', 'performance', 'queueMicrotask', 'setTimeout'] as const
      const context = createContext(
        Object.fromEntries([...names, ...functions].map((name) => [name, globalThis[name]])),
      )
      runInContext(bundle, context)
      const answer = await runInContext(
        `(async () => {
        const { readCsv, readNpy, readIdx, reluProgram, enumerateGates, solve, loadModel, backend } = cvxnn
        const sentence = (promise) => promise.then(() => '', (error) => error.message)
        const { X, y } = await readCsv({ text: 'x;y\\n' + [1, 2, 3, 4, 5].map((x) => x + ';"' + x % 3 + '"').join('\\n') }, { target: 'y' })
        const program = reluProgram({ X, y, gates: enumerateGates(X, { bias: true }), bias: true, lambda: 0.01 })
        const { status, certificate, model } = await solve(program)
        const again = loadModel(JSON.stringify(model)).predict(X).data
        return {
          status,
          backend: backend().name,
          scope: certificate.scope,
          gap: certificate.relativeGap,
          rows: X.rows,
          same: again.every((value, i) => value === model.predict(X).data[i]),
          wrong: await sentence(readCsv({ text: 'x,y\\n1,2\\n3,"4' }, { target: 'y' })),
          path: await sentence(readCsv('table.csv', { target: 'y' })),
          bytes: await sentence(readNpy('a.npy')),
          zipped: await sentence(readIdx(Uint8Array.of(31, 139, 8, 0))),
        }
      })()`,
        context,
      )
      expect(answer).toMatchObject({ status: 'solved', backend: 'wasm', scope: 'network', rows: 5, same: true })
      expect(answer.gap).toBeLessThanOrEqual(1e-6)
      expect(answer.wrong).toContain('has a quote opened after row 1 (line 2) and not closed')
      expect(answer.path).toBe(
        'readCsv: table.csv is a path, and a browser opens none; pass bytes, or for a table { text } or a stream such as file.stream().',
      )
      expect(answer.bytes).toContain('readNpy: a.npy is a path, and a browser opens none')
      expect(answer.zipped).toContain('is gzip-compressed, which is unpacked in Node only')
    },
  )

  it("exports 'cvxnn/plots', which says in one sentence what to install for a picture", async () => {
    const script = `
      const { filterPlot, residualPlot, toPng } = await import('cvxnn/plots')
      const patches = { rows: 1, columns: 1, data: Float64Array.of(1) }
      const svg = await filterPlot({ patches, side: 1, channels: 1 })
      const said = await Promise.all([residualPlot({}), toPng(svg)].map((work) => work.catch(({ message }) => message)))
      console.log(JSON.stringify({ svg: svg.slice(0, 4), said }))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project })
    expect(JSON.parse(stdout)).toEqual({
      svg: '<svg',
      said: [
        'cvxnn/plots: @observablehq/plot and linkedom, optional parts, are missing; run npm install @observablehq/plot linkedom@0.18.12.',
        'toPng: @resvg/resvg-js, an optional part, is missing; run npm install @resvg/resvg-js.',
      ],
    })
  })

  it('brings the command: its version, a fit and a page, and one sentence about each part that is missing', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const npx = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      run('npx', ['--no-install', 'cvxnn', ...args], { cwd: project })
    expect((await npx('--version')).stdout).toBe(`${version}\n`)
    const rows = Array.from({ length: 30 }, (_, i) => `${Math.sin(i)},${Math.cos(i * i)},${Math.abs(Math.sin(i))}`)
    await writeFile(join(project, 'table.csv'), ['a,b,y', ...rows].join('\n'))
    const quick = ['--target', 'y', '--gates', '10']
    await npx('fit', 'table.csv', ...quick, '--lambda', '0.01', '--out', 'model.json', '--quiet')
    await npx('path', 'table.csv', ...quick, '--count', '3', '--out', 'path.html', '--quiet')
    expect(await readFile(join(project, 'path.html'), 'utf8')).toContain('uPlot')
    await npx('verify', 'model.json', 'table.csv')
    await expect(npx('report', 'model.json', 'table.csv')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^cvxnn: [^\n]*npm install @observablehq\/plot linkedom@0\.18\.12[^\n]*\n$/m),
    })
    await expect(npx('verify', 'model.json', 'table.csv', '--precision', '30')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^cvxnn: [^\n]*mathjs[^\n]*\n$/m),
    })
    await expect(npx('fit', 'table.csv', ...quick, '--quiet', '--executor', 'threads')).rejects.toMatchObject({
      code: 2,
      stderr: 'cvxnn: the package tinypool is not installed; run npm install tinypool, or use inline().\n',
    })
    await expect(npx('worker', '--redis', 'redis://127.0.0.1')).rejects.toMatchObject({
      code: 2,
      stderr: 'cvxnn: BullMQ is not installed; run npm install bullmq ioredis tinypool.\n',
    })
  }, 180_000)
})
