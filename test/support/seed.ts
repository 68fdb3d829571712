import fc from 'fast-check'

// The same draws in every run, so that a failure is one everywhere. To look further: CVXNN_SEED=random, or a number.
const asked = process.env.CVXNN_SEED
if (asked !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked ?? 1) })
