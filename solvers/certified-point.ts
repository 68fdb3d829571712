import { certifier } from '../src/certificates/certify.ts'
import type { Certificate, ConvexProgram, Iterate, Vector } from '../src/types.ts'

/** A point of a program with its certificate and its network: what a `Solution` is too, but for how it was found. */
export interface CertifiedPoint<M = unknown> extends Iterate {
  readonly program: ConvexProgram<M>
  readonly certificate: Certificate
  /** Recovered on first read. */
  readonly model: M
}

/** Certifies a point anew; one outside its cones is moved inside first. */
export function certifiedPoint<M>(program: ConvexProgram<M>, coefficients: Vector): CertifiedPoint<M> {
  const found = certifier(program)({ coefficients, fit: program.operator.apply(coefficients) })
  const point = { coefficients: found.at.coefficients, fit: found.at.fit! }
  let model: M | undefined
  return {
    ...point,
    program,
    certificate: found.certificate,
    get model() {
      return (model ??= program.recover(point))
    },
  }
}
