import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The folder of package.json. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Where built commands are kept: inside node_modules, so that they find their dependencies. */
const cache = join(root, 'node_modules/.cache/cvxnn-cli')

let built: Promise<string> | undefined

/**
 * The path of the command, built from the sources as they are now.
 *
 * A build is kept under a name that is the hash of its sources, and put there whole: test files that run at the same time
 * share one, and `dist`, which another process may be rebuilding, is left alone.
 */
export function builtCommand(): Promise<string> {
  return (built ??= build())
}

async function build(): Promise<string> {
  const folder = join(cache, await sourceHash())
  const command = join(folder, 'dist/cli.js')
  if (await stat(command).catch(() => undefined)) return command
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, 'draft-'))
  await cp(join(root, 'package.json'), join(draft, 'package.json'))
  const tsdown = join(root, 'node_modules/.bin/tsdown')
  await promisify(execFile)(tsdown, ['--log-level', 'error', '--no-dts', '--out-dir', join(draft, 'dist')], {
    cwd: root,
  })
  // Where another process was faster, its build is the same.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
  await forgetOldBuilds()
  return command
}

/** Removes the builds of sources that are probably no more: those of yesterday. */
async function forgetOldBuilds(): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name)
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (Date.now() - mtimeMs > 24 * 60 * 60 * 1000) await rm(folder, { recursive: true, force: true })
  }
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const path of ['package.json', 'package-lock.json', ...(await sources('src')), ...(await sources('solvers'))])
    hash.update(path).update(await readFile(join(root, path)))
  return hash.digest('hex').slice(0, 16)
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort()
}
