import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
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
    for (const built of ['index.js', 'index.d.ts', 'solvers.js', 'solvers.d.ts', 'cli.js'])
      expect(paths).toContain(`dist/${built}`)
    expect(paths.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts|js\.map)$/.test(path))).toEqual([])
  })

  it('brings along what it needs, no optional peer and no tool of its development', async () => {
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const installed = await readdir(join(project, 'node_modules'))
    for (const name of Object.keys(dependencies)) expect(installed).toContain(name)
    for (const name of ['mathjs', 'tinypool', 'bullmq', 'ioredis', '@stdlib', 'typescript', 'vitest', 'tsx', '@types'])
      expect(installed).not.toContain(name)
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
import { proximalGradient, solveSync } from 'cvxnn/solvers'
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

  it('brings the command: its version, a fit and a page, and one sentence about each package that is missing', async () => {
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
  })
})
