import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { readCsv, readHeader } from '../../src/index.ts'
import { csv } from '../support/tables.ts'

describe('readHeader', () => {
  test.prop([
    fc.uniqueArray(
      fc.string({ minLength: 1 }).filter((name) => name.trim() === name && name !== ''),
      { minLength: 2, maxLength: 6 },
    ),
  ])('gives the names that readCsv knows, whatever they hold', async (names) => {
    const text = csv(names, [names.map((_, j) => j), names.map((_, j) => j * j + 1)])
    const header = await readHeader({ text }, { delimiter: ',' })
    expect(header).toEqual(names)
    const { features, target } = await readCsv({ text }, { target: header.at(-1)!, delimiter: ',' })
    expect([...features, ...target]).toEqual(names)
  })

  it('finds the delimiter, numbers what has no name, and needs no rows', async () => {
    expect(await readHeader({ text: 'a;"b;c";' })).toEqual(['a', 'b;c', 'column 3'])
  })

  it('reads no further than it must, and closes the file', async () => {
    let given = 0
    let closed = false
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) {
          given++
          yield `${'a,b\n'.repeat(1000)}`
        }
      } finally {
        closed = true
      }
    }
    expect(await readHeader(endless())).toEqual(['a', 'b'])
    expect(given).toBeLessThan(5)
    expect(closed).toBe(true)
    const folder = await mkdtemp(join(tmpdir(), 'cvxnn-header-'))
    await writeFile(join(folder, 'a.csv'), 'x,y\n1,2\n')
    expect(await readHeader(join(folder, 'a.csv'))).toEqual(['x', 'y'])
    await rm(folder, { recursive: true })
  })

  it.each([
    ['', 'readHeader: the text is empty, expected a header row and rows of data; check the file.'],
    ['a,a\n', 'readHeader: the text has the name "a" for column 1 and column 2; give each column its own name.'],
  ])('of %j says why not', async (text, sentence) => {
    await expect(readHeader({ text })).rejects.toThrow(sentence)
  })
})
