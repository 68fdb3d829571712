import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({ language, text: text! }))

describe('README', () => {
  const examples = blocks.flatMap((block, k) =>
    blocks[k + 1]?.language === 'text' ? [[block, blocks[k + 1]!] as const] : [],
  )

  it('begins with an example, and shows what more than one print', () => {
    expect(blocks[0]!.language).toBe('ts')
    expect(blocks[1]!.language).toBe('text')
    expect(examples.length).toBeGreaterThan(1)
  })

  for (const [k, [example, output]] of examples.entries())
    it(`prints what example ${k + 1} says it prints`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'cvxnn-readme-'))
      try {
        const file = join(folder, 'example.mts')
        await writeFile(file, example.text.replace("'cvxnn'", JSON.stringify(join(root, 'src/index.ts'))))
        const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [file])
        expect(stdout).toBe(output.text)
      } finally {
        await rm(folder, { recursive: true })
      }
    })

  it('names two set-up commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    expect(readme).toContain('npm ci && npm start')
    expect(readme).toContain('npm ci && npm test')
    expect(scripts).toHaveProperty('start')
    expect(scripts).toHaveProperty('test')
  })
})
