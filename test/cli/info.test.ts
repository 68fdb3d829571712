import { describe, expect, it } from 'vitest'
import { backends } from '../../src/numerics/backends/index.ts'
import { workplace } from '../support/cli.ts'

const { start } = workplace()

describe('cvxnn info', () => {
  it('names the backend, its library, threads, Node and cores, as text and as JSON', async () => {
    const text = await start(['info']).outcome
    expect(text).toMatchObject({ code: 0, stderr: '' })
    for (const [name, value] of [
      ['backend', 'wasm: WebAssembly with 128-bit vectors'],
      ['threads', '1'],
      ['node', process.version],
    ] as const)
      expect(text.stdout).toMatch(new RegExp(`^ *${name} +${value}`, 'm'))
    const { stdout } = await start(['info', '--json']).outcome
    const info = JSON.parse(stdout)
    expect(info).toMatchObject({ backend: 'wasm', threads: 1, node: process.version })
    expect(info.cores).toBeGreaterThan(0)
    expect(info.available.map(({ name }: { name: string }) => name)).toEqual(backends().map(({ name }) => name))
  })

  it('follows CVXNN_BACKEND and CVXNN_THREADS, and says so when there is no such thing', async () => {
    const js = await start(['info', '--json'], { env: { CVXNN_BACKEND: 'js' } }).outcome
    expect(JSON.parse(js.stdout)).toMatchObject({ backend: 'js', library: 'plain TypeScript, tiles of 4 x 4' })
    const two = await start(['info', '--json'], { env: { CVXNN_THREADS: '2' } }).outcome
    expect(JSON.parse(two.stdout)).toMatchObject({ backend: 'wasm', threads: 2 })
    const none = await start(['info'], { env: { CVXNN_BACKEND: 'cuda' } }).outcome
    expect(none).toMatchObject({
      code: 2,
      stderr: 'cvxnn: CVXNN_BACKEND: there is no backend "cuda"; use wasm, js, blas.\n',
    })
    const odd = await start(['info'], { env: { CVXNN_THREADS: 'many' } }).outcome
    expect(odd).toMatchObject({
      code: 2,
      stderr: 'cvxnn: CVXNN_THREADS is many, expected a whole number from 1 to 64; leave it out for one thread.\n',
    })
  })
})
