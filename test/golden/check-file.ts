import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { families } from './families/index.ts'
import type { Family, Finding } from './reference.ts'

/**
 * The paths of all JSON files under the folders (or the files themselves), in order of name.
 *
 * @throws RangeError naming a folder that does not exist.
 */
export function jsonFiles(places: readonly string[]): string[] {
  return places.flatMap((place) => {
    if (!existsSync(place)) throw new RangeError(`${place} does not exist; pass folders with reference files.`)
    if (!statSync(place).isDirectory()) return [place]
    const names = readdirSync(place, { recursive: true, encoding: 'utf8' })
    return names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(place, name))
  })
}

/** Every finding of one file; a file that cannot be read or is not what it says it is gives one `damaged`. */
export function* checkFile(path: string, known: readonly Family[] = families): Generator<Finding, void> {
  const name = basename(path, '.json')
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const family = familyOf(content)
    if (family === undefined) {
      yield { kind: 'skipped', name, why: 'no family, so not a reference file' }
      return
    }
    const checker = known.find((candidate) => candidate.family === family)
    if (checker) yield* checker.check({ name, path, content })
    else
      yield {
        kind: 'skipped',
        name,
        why: family === 'bench' ? 'bench: checked with --bench' : `${family}: not built yet`,
      }
  } catch (error) {
    yield { kind: 'damaged', name, why: `${path}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** What the file says, or `bench` for the meta.json of a benchmark problem, which says nothing. */
function familyOf(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  if ('family' in content && typeof content.family === 'string') return content.family
  return 'lambdaMaxGated' in content && 'layout' in content ? 'bench' : undefined
}
