import { describe, expect, it } from 'vitest'
import { workplace } from '../support/cli.ts'

const { run } = workplace()

describe('cvxnn demo', () => {
  it('prints objective, bound, gap, neurons, test accuracy and a picture of the plane', async () => {
    const { code, stdout } = await run('demo')
    expect(code).toBe(0)
    for (const name of ['objective', 'lower bound', 'gap', 'neurons', 'test accuracy', 'seconds'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
    expect(stdout.match(/^ {2}[█·]{44}$/gm)).toHaveLength(20)
    expect(Number(/test accuracy +([\d.]+) %/.exec(stdout)![1])).toBeGreaterThan(95)
  })

  it('prints one JSON object with --json and nothing else, solved to its tolerance', async () => {
    const { code, stdout, stderr } = await run('demo', '--json')
    const { status, certificate, neurons, accuracy } = JSON.parse(stdout)
    expect({ code, status, stderr }).toEqual({ code: 0, status: 'solved', stderr: '' })
    expect(certificate.relativeGap).toBeLessThanOrEqual(1e-6)
    expect(certificate.primal - certificate.dual).toBe(certificate.gap)
    expect(neurons).toBeGreaterThan(0)
    expect(accuracy.test).toBeGreaterThan(0.95)
  })
})
