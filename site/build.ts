/**
 * Builds the page: one HTML file in dist-site with its script, its worker and its style inside, so that it works from a disk
 * and asks nothing of any network. `npm run site`, or `tsx site/build.ts FOLDER`.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = process.argv[2] ?? fileURLToPath(new URL('../dist-site', import.meta.url))

const common: BuildOptions = {
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: ['chrome110', 'firefox115', 'safari16.4'],
  legalComments: 'inline',
  logLevel: 'error',
}

/** The text of a bundle. */
async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...common, ...options, entryPoints: [join(here, entry)] })
  return outputFiles![0]!.text
}

// mathjs is an optional part that this page does not use; what is of Node is never reached here.
const worker = await bundle('worker.ts', { external: ['mathjs'], logOverride: { 'empty-import-meta': 'silent' } })
const script = (await bundle('page.ts', { define: { WORKER_SOURCE: JSON.stringify(worker) } })).replaceAll(
  '</script',
  '<\\/script',
)
const style = (await bundle('style.css', { loader: { '.css': 'css' } })).trim()

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)} 'wasm-unsafe-eval' blob:`,
  'worker-src blob:',
  `style-src ${hash(style)}`,
  'img-src data: blob:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const page = readFileSync(join(here, 'index.html'), 'utf8')
  .replace(
    '<meta charset="utf-8">',
    () => `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  )
  .replace('<!-- style -->', () => `<style>${style}</style>`)
  .replace('<!-- script -->', () => `<script>${script}</script>`)
mkdirSync(folder, { recursive: true })
const file = join(folder, 'index.html')
writeFileSync(file, page)
console.log(`${relative(process.cwd(), file)}: ${Math.round(page.length / 1024)} KB, one file; open it in a browser.`)
