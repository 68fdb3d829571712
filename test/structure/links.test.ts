import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const places = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs', 'bench', 'notebooks', 'test/golden']
const files = places.flatMap(written)

/** A link as it stands in a file. */
interface Link {
  readonly file: string
  readonly target: string
}

const links: Link[] = files.flatMap((file) =>
  linksOf(proseOf(file)).map((target) => ({ file: relative(root, file), target })),
)
const local = links.filter(({ target }) => !/^[a-z]+:/.test(target))

/** Markdown and notebooks at a place, folders included. */
function written(place: string): string[] {
  const path = join(root, place)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(md|ipynb)$/.test(name))
    .map((name) => join(path, name))
}

/** The Markdown of a file, code taken out; of a notebook that of its cells. */
function proseOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (!file.endsWith('.ipynb')) return withoutCode(text)
  const { cells } = JSON.parse(text) as { cells: { cell_type: string; source: string | string[] }[] }
  const markdown = cells
    .filter(({ cell_type }) => cell_type === 'markdown')
    .map(({ source }) => [source].flat().join(''))
  return withoutCode(markdown.join('\n\n'))
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/^ {4}.*$/gm, '')
}

function linksOf(text: string): string[] {
  const plain = text.replace(/`[^`\n]*`/g, '')
  return [...plain.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g)].map(([, target]) => target!)
}

/** The anchors that GitHub gives the headings of a file. */
function anchorsOf(file: string): string[] {
  const seen = new Map<string, number>()
  return [...proseOf(file).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
}

function broken({ file, target }: Link): boolean {
  const [path, anchor] = target.split('#') as [string, string | undefined]
  const to = path === '' ? join(root, file) : join(root, dirname(file), decodeURIComponent(path))
  if (!existsSync(to)) return true
  return anchor !== undefined && !anchorsOf(to).includes(anchor)
}

describe('links', () => {
  it('are found: in the README, the guides and the notebooks', () => {
    const from = new Set(local.map(({ file }) => file))
    for (const file of ['README.md', 'docs/README.md', 'notebooks/README.md']) expect(from).toContain(file)
    expect(local.some(({ target }) => target.includes('#'))).toBe(true)
  })

  it('lead to files that exist, and to headings that these have', () => {
    expect(local.filter(broken)).toEqual([])
  })

  it('to elsewhere are encrypted', () => {
    expect(links.filter(({ target }) => /^[a-z]+:/.test(target) && !/^(https:|mailto:)/.test(target))).toEqual([])
  })

  it.each([
    ['a file that is not there', 'docs/none.md'],
    ['a heading that is not there', 'README.md#none'],
  ])('to %s would be found', (_, target) => {
    expect(broken({ file: 'README.md', target })).toBe(true)
  })

  it('are told from code', () => {
    const text = '# A `b` (c), d\n`[x](y)` and [one](two.md)\n\n```ts\n[three](four)\n```\n'
    expect(linksOf(withoutCode(text))).toEqual(['two.md'])
  })
})
