import fc from 'fast-check'
import { matrix } from '../../src/index.ts'
import { sharedFeatures } from '../../src/operators/index.ts'
import { anyMatrix } from '../arbitraries.ts'
import { operatorLaws } from '../laws/operator-laws.ts'

for (const outputs of [1, 3])
  operatorLaws(
    `sharedFeatures with ${outputs} output${outputs > 1 ? 's' : ''}`,
    fc
      .record({
        n: fc.integer({ min: 1, max: 6 }),
        width: fc.integer({ min: 1, max: 5 }),
        B: fc.integer({ min: 1, max: 3 }),
      })
      .chain(({ n, width, B }) => fc.array(anyMatrix(n, width), { minLength: B, maxLength: B }))
      .map((blocks) => {
        const { rows: n, columns: width } = blocks[0]!
        const block = outputs * width
        const twin = matrix(n * outputs, blocks.length * block)
        blocks.forEach((Phi, b) => {
          for (let i = 0; i < n; i++)
            for (let k = 0; k < outputs; k++)
              for (let j = 0; j < width; j++)
                twin.data[(i * outputs + k) * twin.columns + b * block + k * width + j] = Phi.data[i * width + j]!
        })
        return { operator: sharedFeatures(blocks, outputs), twin, block }
      }),
    { selects: true },
  )
