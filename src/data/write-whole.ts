import { builtIn } from './built-in.ts'

/** Writes a file whole or not at all: under another name first, then renamed. A device or pipe is written to as it is. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const files = builtIn('node:fs/promises')
  const paths = builtIn('node:path')
  if (!files || !paths) throw new Error(`cannot write ${path}, for there are no files here; keep the bytes instead.`)
  const { realpath, rename, rm, stat, writeFile } = files
  const { dirname, join } = paths
  const there = await stat(path).catch(() => undefined)
  // A link stays a link.
  const target = there?.isFile() ? await realpath(path) : path
  const whole = !there || there.isFile()
  const draft = whole ? join(dirname(target), `.${crypto.randomUUID()}.partial`) : target
  try {
    await writeFile(draft, content)
    if (whole) await rename(draft, target)
  } catch (error) {
    if (whole) await rm(draft, { force: true })
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(`cannot write ${path} (${code ?? message}); check the folder and its permissions.`, {
      cause: error,
    })
  }
}
