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
  it('prints what its first example says it prints', async () => {
    const [example, output] = blocks
    expect(example!.language).toBe('ts')
    expect(output!.language).toBe('text')
    const folder = await mkdtemp(join(tmpdir(), 'cvxnn-readme-'))
    try {
      const file = join(folder, 'example.mts')
      await writeFile(file, example!.text.replace("'cvxnn'", JSON.stringify(join(root, 'src/index.ts'))))
      const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), [file])
      expect(stdout).toBe(output!.text)
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
