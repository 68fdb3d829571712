import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const entries = readFileSync(join(root, 'docs/references.md'), 'utf8').split(/^- /m).slice(1)

const name = String.raw`\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}-]+)*`
const venue = '(?:NeurIPS|NIPS|ICML|ICLR|AISTATS|AAAI|TMLR)'
/** `Beck and Teboulle 2009`, `Mishkin, Sahiner and Pilanci, ICML 2022`, `Sahiner et al., ICLR 2024`. */
const citation = new RegExp(
  String.raw`(?<!\p{L})((?!${venue})${name})(?:(?:, ${name})*,? and ${name}| et al\.)?,?\s(?:\(?${venue}\s)?((?:19|20)\d\d)\b`,
  'gu',
)

/** First author's surname and year of everything that comments of the sources and the guides cite. */
function cited(): string[] {
  const found = ['src', 'solvers', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|md)$/.test(file) && file !== 'references.md')
      .flatMap((file) => citationsOf(readFileSync(join(root, folder, file), 'utf8'))),
  )
  return [...new Set(found)].sort()
}

function citationsOf(text: string): string[] {
  const flat = text.replace(/\s*\n\s*\*? */g, ' ')
  return [...flat.matchAll(citation)].map(([, author, year]) => `${author!.split(' ').at(-1)} ${year}`)
}

describe('references', () => {
  it('have every paper that is cited', () => {
    const papers = cited()
    expect(papers.length).toBeGreaterThan(35)
    const missing = papers.filter((paper) => {
      const [surname, year] = paper.split(' ') as [string, string]
      return !entries.some((entry) => entry.includes(surname) && entry.includes(`(${year})`))
    })
    expect(missing).toEqual([])
  })

  it('have each once, with a year', () => {
    const titles = entries.map((entry) => entry.replace(/\s+/g, ' ').match(/^(.+?) \((\d{4})\)\. (.+?)\. /))
    expect(titles).not.toContain(null)
    expect(new Set(titles.map((title) => title![3])).size).toBe(entries.length)
  })

  it('are told from other years', () => {
    const text = 'Beck and Teboulle 2009, SIAM J. * Mishkin,\n * Sahiner and Pilanci, ICML 2022; at most 2000 of them.'
    expect(citationsOf(text)).toEqual(['Beck 2009', 'Mishkin 2022'])
  })
})
