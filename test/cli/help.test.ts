import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../support/build.ts'
import { workplace } from '../support/cli.ts'

const { run } = workplace()
const commands = ['fit', 'fit-images', 'predict', 'path', 'verify', 'report', 'export', 'worker', 'demo', 'info']
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

describe('help', () => {
  it.each(commands)('cvxnn %s --help has an example of it that uses no unknown flag', async (command) => {
    const { code, stdout, stderr } = await run(command, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [usage, examples] = stdout.split(/\nExamples?:\n/)
    expect(usage).toMatch(new RegExp(`^Usage: cvxnn ${command} `))
    const lines = examples!.split('\n').filter((line) => line.startsWith('  $ '))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^ {2}\\$ cvxnn ${command}`))
      for (const [flag] of line.matchAll(/--[a-z-]+/g)) expect(usage).toMatch(new RegExp(`${flag}[ ,]`))
    }
  })

  it.each(['fit', 'fit-images', 'path', 'verify'])('cvxnn %s --help says what its exit codes mean', async (command) => {
    expect((await run(command, '--help')).stdout).toMatch(/Exit code: 0 when .* 1 when not, 2 when the input is wrong/)
  })

  it('cvxnn fit --program ccnn --help is that of fit-images, and fit --help names it', async () => {
    const { code, stdout } = await run('fit', '--program', 'ccnn', '--help')
    expect({ code, stdout }).toEqual({ code: 0, stdout: (await run('fit-images', '--help')).stdout })
    expect((await run('fit', '--help')).stdout).toMatch(/--program ccnn .* cvxnn fit-images\.$/m)
  })

  it('cvxnn --help lists every command', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} .+ {2,}\\S`, 'm'))
  })
})

describe('--version', () => {
  it('is that of package.json in the built command', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('is that of package.json when the sources are run as they are', async () => {
    const tsx = join(root, 'node_modules/.bin/tsx')
    const { stdout } = await promisify(execFile)(tsx, [join(root, 'src/cli/main.ts'), '--version'])
    expect(stdout).toBe(`${version}\n`)
  })
})
