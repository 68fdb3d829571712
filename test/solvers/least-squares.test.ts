import fc from 'fast-check'
import { Matrix as MlMatrix, SingularValueDecomposition } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  gatedReluProgram,
  gatesFrom,
  leastSquares,
  type Matrix,
  ridge,
  solveSync,
  type Vector,
} from '../../src/index.ts'
import { plainMatrix } from '../arbitraries.ts'

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 12 }),
  d: fc.integer({ min: 1, max: 3 }),
  P: fc.integer({ min: 1, max: 4 }),
})

/** Programs wide and tall, of full rank and not: duplicate gates come by chance. */
const problem = sizes.chain(({ n, d, P }) =>
  fc.record({
    X: plainMatrix(n, d),
    y: plainMatrix(n, 1),
    vectors: plainMatrix(P, d, fc.integer({ min: -1, max: 1 })),
  }),
)

describe('leastSquares', () => {
  it('at lambda 0 finds the solution of least norm, as the singular value decomposition does', () => {
    fc.assert(
      fc.property(problem, ({ X, y, vectors }) => {
        const program = gatedReluProgram({ X, y, gates: gatesFrom(vectors, X), lambda: 0 })
        const { pseudo, condition } = pseudoInverse(program)
        fc.pre(condition < 1e4)
        const solution = solveSync(program, { tolerance: 1e-14, maxIterations: 200, checkEvery: 1 })
        const expected = pseudo.mmul(MlMatrix.columnVector(y.data)).to1DArray()
        const scale = 1 + Math.max(...expected.map(Math.abs))
        expected.forEach((value, k) => {
          expect(Math.abs(solution.coefficients[k]! - value)).toBeLessThanOrEqual(1e-9 * condition * scale)
        })
      }),
    )
  })

  it('with ridge() solves the normal equations', () => {
    fc.assert(
      fc.property(problem, fc.double({ min: 1e-3, max: 10, noNaN: true }), ({ X, y, vectors }, lambda) => {
        const program = gatedReluProgram({ X, y, gates: gatesFrom(vectors, X), lambda, penalty: ridge() })
        const { coefficients } = solveSync(program, { tolerance: 1e-15, maxIterations: 200, checkEvery: 1 })
        const A = dense(program)
        const normal = A.transpose()
          .mmul(A)
          .add(MlMatrix.eye(A.columns).mul(lambda * X.rows))
        const left = normal.mmul(MlMatrix.columnVector(coefficients)).to1DArray()
        const right = A.transpose().mmul(MlMatrix.columnVector(y.data)).to1DArray()
        const scale = 1 + Math.max(...right.map(Math.abs))
        left.forEach((value, k) => {
          expect(Math.abs(value - right[k]!)).toBeLessThanOrEqual(1e-6 * scale)
        })
      }),
    )
  })

  it('goes on improving from any start', () => {
    fc.assert(
      fc.property(problem, ({ X, y, vectors }) => {
        const program = gatedReluProgram({ X, y, gates: gatesFrom(vectors, X), lambda: 0.1, penalty: ridge() })
        const start: { coefficients: Vector } = {
          coefficients: Float64Array.from({ length: program.operator.columns }, (_, k) => 100 * Math.cos(k)),
        }
        const solution = solveSync(program, { start, tolerance: 1e-9, maxIterations: 200 })
        expect(solution.status).toBe('solved')
        expect(solution.certificate.relativeGap).toBeLessThanOrEqual(1e-9)
      }),
    )
  })

  it('refuses another penalty, an intercept and constraints, each with its reason', () => {
    const X: Matrix = { rows: 2, columns: 1, data: Float64Array.of(1, 2) }
    const gates = gatesFrom([[1]], X)
    const { supports } = leastSquares()
    expect(supports(gatedReluProgram({ X, y: [1, 2], gates, lambda: 1 }))).toBe(
      'least-squares takes ridge() or lambda = 0 and gated-relu has group-l1 with lambda 1; use proximalGradient().',
    )
    expect(supports(gatedReluProgram({ X, y: [1, 2], gates, lambda: 0, bias: 'unpenalised' }))).toBe(
      'least-squares needs the squared loss without an unpenalised intercept and gated-relu has another; use proximalGradient().',
    )
    expect(supports(gatedReluProgram({ X, y: [1, 2], gates, lambda: 0 }))).toBe(true)
  })
})

/** The operator as a dense ml-matrix, column by column. */
function dense({ operator }: ConvexProgram): MlMatrix {
  const A = new MlMatrix(operator.rows, operator.columns)
  for (let k = 0; k < operator.columns; k++) {
    const unit = new Float64Array(operator.columns)
    unit[k] = 1
    A.setColumn(k, operator.apply(unit))
  }
  return A
}

function pseudoInverse(program: ConvexProgram): { pseudo: MlMatrix; condition: number } {
  const {
    leftSingularVectors: U,
    diagonal,
    rightSingularVectors: V,
  } = new SingularValueDecomposition(dense(program), {
    autoTranspose: true,
  })
  const top = Math.max(...diagonal)
  const kept = diagonal.filter((value) => value > 1e-12 * top)
  const inverse = MlMatrix.diag(diagonal.map((value) => (value > 1e-12 * top ? 1 / value : 0)))
  return { pseudo: V.mmul(inverse).mmul(U.transpose()), condition: top > 0 ? top / Math.min(...kept) : 1 }
}
