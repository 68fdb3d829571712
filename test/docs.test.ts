import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'docs')
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))

interface Block {
  readonly page: string
  readonly language: string
  readonly text: string
}

interface Example {
  readonly title: string
  readonly code: string
  /** What the page says it prints; absent where nothing is shown. */
  readonly output: string | undefined
}

const examples = pages.flatMap((page) => examplesOf(page, blocksOf(page)))

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(folder, page), 'utf8')
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, inside]) => ({
    page,
    language: language!,
    text: inside!,
  }))
}

function examplesOf(page: string, blocks: readonly Block[]): Example[] {
  const code = blocks.flatMap(({ language }, k) => (language === 'ts' ? [k] : []))
  return code.map((k, count) => ({
    title: `${page}, example ${count + 1}`,
    code: blocks[k]!.text,
    output: blocks[k + 1]?.language === 'text' ? blocks[k + 1]!.text : undefined,
  }))
}

/** What each example prints, in one process that imports them one after another: most of the time is taken by starting. */
async function printed(inside: string): Promise<string[]> {
  const mark = '=== the next example ==='
  await symlink(join(root, 'node_modules'), join(inside, 'node_modules'))
  const library = JSON.stringify(join(root, 'src/index.ts'))
  await Promise.all(
    examples.map(({ code }, k) => writeFile(join(inside, `${k}.mts`), code.replace("'cvxnn'", library))),
  )
  const lines = examples.map((_, k) => `await import('./${k}.mts')\nconsole.log(${JSON.stringify(mark)})\n`)
  await writeFile(join(inside, 'all.mts'), lines.join(''))
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [join(inside, 'all.mts')])
  return stdout.split(`${mark}\n`)
}

describe('docs', () => {
  let inside = ''
  let outputs: string[] = []

  beforeAll(async () => {
    inside = await mkdtemp(join(tmpdir(), 'cvxnn-docs-'))
    outputs = await printed(inside)
  }, 120_000)

  afterAll(() => rm(inside, { recursive: true }))

  it('of the API come from docstrings: nothing public is without one, and no link in them is dead', async () => {
    const typedoc = join(root, 'node_modules/.bin/typedoc')
    const said = await promisify(execFile)(typedoc, ['--emit', 'none', '--logLevel', 'Warn'], { cwd: root }).catch(
      ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout, stderr }),
    )
    expect(said).toEqual({ stdout: '', stderr: '' })
  }, 180_000)

  it('have a page each that the index names', () => {
    const index = readFileSync(join(folder, 'README.md'), 'utf8')
    expect(pages.length).toBeGreaterThan(4)
    for (const page of pages) if (page !== 'README.md') expect(index).toContain(`](${page})`)
  })

  it('show what every example prints', () => {
    expect(examples.length).toBeGreaterThan(8)
    expect(examples.filter(({ output }) => output === undefined).map(({ title }) => title)).toEqual([])
  })

  it.each(examples.map((example, k) => ({ ...example, k })))('$title prints what the page says', ({ output, k }) => {
    expect(outputs[k]).toBe(output)
  })
})
