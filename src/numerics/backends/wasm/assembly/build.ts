/**
 * Compiles the AssemblyScript beside this file and writes it as `../module.ts`, base64 in a string:
 *
 *     npm run build:wasm
 *
 * The sources are AssemblyScript under an extension of their own, since nothing but its compiler should read them.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = new URL('.', import.meta.url)

/** The module's bytes, compiled from the sources as they are now. */
export async function compile(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  const read = (name: string): string | null => {
    if (name.startsWith('node_modules') || name.startsWith('~')) return null
    try {
      return readFileSync(new URL(name.replace(/\.ts$/, '.as'), folder), 'utf8')
    } catch {
      return null
    }
  }
  const flags = ['-O3', '--converge', '--runtime', 'minimal', '--enable', 'simd,bulk-memory', '--noAssert']
  const memory = ['--importMemory', '--initialMemory', '1', '--maximumMemory', '65536']
  const { error, stderr } = await asc.main(
    ['index.ts', '--outFile', 'module.wasm', ...flags, ...memory, '--use', 'abort='],
    {
      readFile: read,
      writeFile: (_, contents) => {
        if (typeof contents !== 'string') bytes = contents
      },
      listFiles: () => [],
    },
  )
  if (error || !bytes)
    throw new Error(`AssemblyScript: ${error?.message ?? 'nothing was written'}\n${stderr.toString()}`)
  return bytes
}

/** The text of `../module.ts`. */
export async function moduleText(): Promise<string> {
  const bytes = await compile()
  const hash = createHash('sha256').update(bytes).digest('hex')
  const lines = Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,112}/g)!
  return `// Made by \`npm run build:wasm\` from the sources in assembly/: do not edit.
// ${bytes.length} bytes, SHA-256 ${hash}

/** The kernels as a WebAssembly module, in base64. */
export const module: string =
${lines.map((line) => `  '${line}'`).join(' +\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../module.ts', folder), await moduleText())
