import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CcnnClassifier, readCifar, readIdx } from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { workplace } from '../support/cli.ts'

const { run, path, read } = workplace()

/** n images of side x side bytes: bright in the upper half for class 1, in the lower one for class 0. */
function idx(n: number, side: number): { images: Uint8Array; labels: Uint8Array } {
  const source = random(4)
  const images = new Uint8Array(16 + n * side * side)
  const labels = new Uint8Array(8 + n)
  images.set([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, side, 0, 0, 0, side])
  labels.set([0, 0, 8, 1, 0, 0, 0, n])
  for (let i = 0; i < n; i++) {
    labels[8 + i] = i % 2
    for (let p = 0; p < side * side; p++) {
      const upper = p < (side * side) / 2
      images[16 + i * side * side + p] = source.below(80) + (upper === (i % 2 === 1) ? 120 : 0)
    }
  }
  return { images, labels }
}

/** n records of CIFAR-10, red for even classes and blue for odd ones. */
function cifar(n: number): Uint8Array {
  const source = random(5)
  const bytes = new Uint8Array(n * 3073)
  for (let i = 0; i < n; i++) {
    bytes[i * 3073] = i % 2
    for (let k = 0; k < 3072; k++)
      bytes[i * 3073 + 1 + k] = source.below(100) + (Math.floor(k / 1024) === (i % 2 === 0 ? 0 : 2) ? 100 : 0)
  }
  return bytes
}

describe('cvxnn fit-images', () => {
  it('trains on IDX files, tests, and writes a model that is read again and a picture of its filters', async () => {
    const { images, labels } = idx(40, 8)
    await writeFile(path('images'), images)
    await writeFile(path('labels'), labels)
    const small = ['--patch', '3', '--pool', '3', '--landmarks', '20', '--no-whiten']
    const files = ['--out', path('model.json'), '--filters', path('filters.svg')]
    const tests = ['--test', path('images'), '--test-labels', path('labels')]
    const { code, stdout } = await run(
      ...['fit-images', path('images'), '--labels', path('labels'), '--quiet', ...small, ...files, ...tests],
    )
    expect(stdout).toMatch(/^images: 40 images of 8 x 8 x 1, 2 classes\n/)
    expect(stdout).toMatch(/layer 1 .*filters at lambda .*, and no lower than /)
    expect(stdout).toMatch(/test +.*100 % right of 40/)
    expect(code).toBe(0)
    const classifier = CcnnClassifier.load(await read('model.json'))
    const X = await readIdx(images)
    expect(classifier.score(X, Array.from(labels.subarray(8)))).toBe(1)
    const picture = await read('filters.svg')
    // Nine pixels a filter.
    expect(picture.match(/M\d+,\d+h/g)?.length).toBe(9 * classifier.network.layers[0]!.width)
  })

  it('trains on a file of CIFAR-10 and says so in one JSON object', async () => {
    await writeFile(path('batch.bin'), cifar(12))
    const { code, stdout, stderr } = await run(
      ...['fit-images', path('batch.bin'), '--pool', '28', '--landmarks', '10', '--no-whiten', '--json'],
    )
    expect(stderr).toBe('')
    const said = JSON.parse(stdout) as { status: string; images: number; scores: { train: number } }
    expect([code, said.status, said.images, said.scores.train]).toEqual([0, 'solved', 12, 1])
  })

  it.each([[['--program', 'ccnn']], [['--program=ccnn']], [['--program', 'relu', '--program', 'ccnn']]])(
    'is what cvxnn fit %j does, before and behind the file',
    async (program) => {
      await writeFile(path('batch.bin'), cifar(12))
      const flags = ['--pool', '28', '--landmarks', '10', '--no-whiten', '--test', path('batch.bin'), '--json']
      const said = async (...args: string[]): Promise<object> => {
        const { code, stdout, stderr } = await run(...args, ...flags)
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        const { seconds, layers, ...rest } = JSON.parse(stdout) as { seconds: number; layers: { lambda: number }[] }
        return { ...rest, layers: layers.map((layer) => ({ ...layer, seconds: 0 })) }
      }
      const own = await said('fit-images', path('batch.bin'))
      expect(own).toMatchObject({ images: 12, scores: { test: 1 } })
      expect(await said('fit', path('batch.bin'), ...program)).toEqual(own)
      expect(await said('fit', ...program, path('batch.bin'))).toEqual(own)
    },
  )

  it.each([
    [['--program', 'ccnn', '--target', 'y'], '--target does not belong to --program ccnn, which trains on images; '],
    [['--program', 'ccnn', '-ty'], '--target does not belong to --program ccnn, which trains on images; leave it out.'],
    [['--program', 'ccnn', '--gates=5'], '--gates does not belong to --program ccnn, which trains on images; leave'],
    [['--no-bias', '--program', 'ccnn'], '--no-bias does not belong to --program ccnn, which trains on images; leave'],
    [['--program', 'ccnn', '--test', '0.2'], '0.2 does not exist; check the path'],
    [['--labels', 'labels'], '--labels belongs to --program ccnn, which trains on images; add that, or leave it out.'],
    [['--program', 'relu', '-t', 'y', '--patch', '3'], '--patch belongs to --program ccnn, which trains on images; '],
  ])('cvxnn fit on images refuses %j in one sentence', async (flags, sentence) => {
    await writeFile(path('batch.bin'), cifar(12))
    const { code, stdout, stderr } = await run('fit', path('batch.bin'), ...flags)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(sentence)
    expect(stderr).toMatch(/^cvxnn: [^\n]+\.\n$/)
  })

  it('cvxnn fit on images refuses an option that no command has', async () => {
    const { code, stderr } = await run('fit', path('batch.bin'), '--program', 'ccnn', '--landmark', '5')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: unknown option '--landmark'\n\(Did you mean --landmarks\?\)/)
  })

  it('refuses files that are something else, in a sentence', async () => {
    await writeFile(path('broken.bin'), new Uint8Array(100))
    const { code, stderr } = await run('fit-images', path('broken.bin'))
    expect(code).toBe(2)
    expect(stderr).toMatch(/has 100 bytes, expected a multiple of 3073/)
  })
})

describe('readCifar', () => {
  it('puts the colours of a pixel together', async () => {
    const bytes = cifar(2)
    const { X, labels, shape } = await readCifar(bytes)
    expect([X.rows, X.columns, shape.channels, ...labels]).toEqual([2, 3072, 3, 0, 1])
    for (const [i, p, c] of [
      [0, 0, 0],
      [1, 5, 2],
      [1, 1023, 1],
    ] as const)
      expect(X.data[i * 3072 + p * 3 + c]).toBe(bytes[i * 3073 + 1 + c * 1024 + p])
  })

  it('refuses labels that are none', async () => {
    const bytes = cifar(2)
    bytes[3073] = 11
    await expect(readCifar(bytes)).rejects.toThrow(/record 1 .* label 11/)
  })
})
