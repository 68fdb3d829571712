import { defineConfig } from 'vitest/config'

// Continuous integration asks for a machine-readable report beside the printed one.
const report = process.env.CVXNN_REPORT

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report && { outputFile: { json: report } }),
  },
})

export default config
