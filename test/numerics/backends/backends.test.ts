import { backends } from '../../../src/numerics/backends/index.ts'
import { backendLaws } from './laws.ts'

for (const backend of backends()) backendLaws(backend)
