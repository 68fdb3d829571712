import fc from 'fast-check'

/** One change of a file's bytes; positions are shares of its length, so that a change means something after another one. */
type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number; readonly count: number }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly from: number; readonly count: number }

// Doubles are drawn by their bits, nearly all of them next to 0.
const place = fc.nat(2 ** 30 - 1).map((share) => share / 2 ** 30)
const count = fc.integer({ min: 1, max: 40 })

/** Bytes that headers are afraid of: largest and negative integers, zeros, NaN and Infinity, long digits, quotes, brackets. */
const hostile = fc.constantFrom(
  ...[
    [0xff, 0xff, 0xff, 0xff],
    [0x7f, 0xff, 0xff, 0xff],
    [0xff, 0xff, 0xff, 0x7f],
    [0, 0, 0, 0],
    [0, 0, 0, 0x80],
    [0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    [0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ].map((bytes) => Uint8Array.from(bytes)),
  ...[
    '99999999999',
    '-1',
    '1e308',
    '1e999',
    'NaN',
    'null',
    '""',
    '"',
    ',',
    '\n',
    '[',
    ']',
    '{}',
    '(0, 9007199254740993)',
  ].map((text) => new TextEncoder().encode(text)),
)
const bytes = fc.oneof(hostile, fc.uint8Array({ minLength: 1, maxLength: 12 }))

const flip: fc.Arbitrary<Change> = fc.record({
  ...{ kind: fc.constant('flip' as const), at: place },
  bit: fc.integer({ min: 0, max: 7 }),
})
const change: fc.Arbitrary<Change> = fc.oneof(
  flip,
  fc.record({ kind: fc.constant('set' as const), at: place, bytes }),
  fc.record({ kind: fc.constant('cut' as const), at: place, count }),
  fc.record({ kind: fc.constant('end' as const), at: place }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, from: place, count }),
)

/** Half of the changes are near the beginning, where headers are. */
const early = change.map((one): Change => ({ ...one, at: one.at * one.at * one.at }))

/** A valid file with one to four changes; now and then bytes that never were one. */
export function mutated(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.oneof(change, early), { minLength: 1, maxLength: 4 })
  // A flipped bit alone often leaves a file that is read: what came out is then looked at.
  const one = fc.array(flip, { minLength: 1, maxLength: 1 })
  return fc.oneof(
    {
      weight: 15,
      arbitrary: fc.tuple(fc.constantFrom(...files), one).map(([file, all]) => all.reduce(changed, file)),
    },
    {
      weight: 30,
      arbitrary: fc.tuple(fc.constantFrom(...files), changes).map(([file, all]) => all.reduce(changed, file)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...files), fc.constantFrom(...files), place, place)
        .map(([a, b, i, j]) => joined(a.subarray(0, i * a.length), b.subarray(j * b.length))),
    },
  )
}

function changed(file: Uint8Array, one: Change): Uint8Array {
  const at = Math.floor(one.at * file.length)
  switch (one.kind) {
    case 'flip':
      return file.map((byte, k) => (k === at ? byte ^ (1 << one.bit) : byte))
    case 'set':
      return joined(file.subarray(0, at), one.bytes, file.subarray(at + one.bytes.length))
    case 'cut':
      return joined(file.subarray(0, at), file.subarray(at + one.count))
    case 'end':
      return file.slice(0, at)
    case 'insert':
      return joined(file.subarray(0, at), one.bytes, file.subarray(at))
    case 'repeat': {
      const from = Math.floor(one.from * file.length)
      return joined(file.subarray(0, at), file.subarray(from, from + one.count), file.subarray(at))
    }
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** What a field of a JSON file may be replaced by. */
const values = fc.constantFrom<unknown>(
  ...[null, true, 0, -1, 0.5, 3, 1e9, 2 ** 31, 2 ** 53, 1e300, -1e300, '', 'text', [], [[]], [null], {}],
  ...[[0, 0, 0], [1e308, -1e308], [[1, 2], [3]], 'constructor', '__proto__', 'relu-network'],
)

interface Edit {
  readonly at: number
  readonly kind: 'replace' | 'remove' | 'repeat' | 'empty'
  readonly value: unknown
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    at: fc.oneof(
      place,
      place.map((share) => share ** 4),
    ),
    kind: fc.constantFrom<Edit['kind']>('replace', 'replace', 'remove', 'repeat', 'empty'),
    value: values,
  }),
  { minLength: 1, maxLength: 3 },
)

/** A valid JSON file with some of its fields replaced, removed, doubled or emptied. */
export function editedJson(files: readonly object[]): fc.Arbitrary<unknown> {
  return fc.tuple(fc.constantFrom(...files), edits).map(([file, all]) => {
    const copy = structuredClone(file)
    for (const edit of all) apply(copy, edit)
    return copy
  })
}

function apply(root: object, { at, kind, value }: Edit): void {
  // Breadth first, so that early places are the fields of the file itself.
  const places: [Record<string, unknown> | unknown[], string | number][] = []
  const queue: object[] = [root]
  for (const node of queue) {
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, Array.isArray(node) ? Number(key) : key])
      const inner = (node as Record<string, unknown>)[key]
      if (typeof inner === 'object' && inner !== null) queue.push(inner)
    }
    if (places.length > 5000) break
  }
  const found = places[Math.floor(at * places.length)]
  if (!found) return
  const [holder, key] = found as [Record<string | number, unknown>, string | number]
  if (kind === 'replace') holder[key] = structuredClone(value)
  else if (kind === 'empty') holder[key] = Array.isArray(holder[key]) ? [] : undefined
  else if (Array.isArray(holder))
    holder.splice(Number(key), kind === 'remove' ? 1 : 0, ...(kind === 'remove' ? [] : [holder[key]]))
  else if (kind === 'remove') delete holder[key]
}
