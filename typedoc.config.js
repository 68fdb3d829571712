import katex from '@vscode/markdown-it-katex'

/** The API pages: `npm run docs`. @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'cvxnn',
  entryPoints: ['src/index.ts', 'solvers/index.ts', 'src/plots/index.ts'],
  out: 'dist-docs',
  readme: 'README.md',
  projectDocuments: [
    'docs/choosing.md',
    'docs/certificates.md',
    'docs/mathematics.md',
    'docs/coming-from.md',
    'docs/distributed.md',
    'docs/references.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
  ],
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  excludeExternals: true,
  // Links to sources need a remote, which a checkout need not have.
  disableSources: true,
  skipErrorChecking: true,
  ignoredHighlightLanguages: ['math'],
  // Small names for lists of words, which their pages spell out.
  intentionallyNotExported: ['src/plots/confusion.ts:Label', 'src/plots/residuals.ts:Residual'],
  treatWarningsAsErrors: true,
  validation: {
    notExported: true,
    invalidLink: true,
    notDocumented: true,
  },
  requiredToBeDocumented: [
    'Accessor',
    'Class',
    'Enum',
    'Function',
    'Interface',
    'Method',
    'Namespace',
    'TypeAlias',
    'Variable',
  ],
  // Formulas as MathML, which browsers draw by themselves.
  markdownItLoader(parser) {
    parser.use(katex.default, { output: 'mathml', enableFencedBlocks: true, throwOnError: true })
  },
}
