import type { Address, Engine } from './engine.ts'

/** What stands in the module's memory, or has moved out of it. Whoever keeps it refers to it, and it to nobody. */
export interface Content {
  readonly bytes: number
  /** The engine's turn in which it was last asked for. */
  turn: number
  address?: Address | undefined
  /** A copy, while it is not in the module's memory. */
  saved?: Uint8Array | undefined
}

/**
 * Room in the engine's memory, for as long as something refers to this object.
 *
 * Where the memory runs short, what was not asked for in this turn moves out to an array of its own, the longest unused first,
 * and back in when it is asked for. Nothing else would give room back to a loop that never lets the event loop turn: that
 * an object is no longer referred to is only told between turns. What has moved out is an array as any other.
 */
export interface Kept {
  /** Where it is until the engine's next turn. */
  at(): Address
  /** Gives the room back before that. */
  release(): void
}

// What nobody refers to any more gives its room back.
const forgotten = new FinalizationRegistry<{ engine: Engine; content: Content }>(({ engine, content }) =>
  engine.discard(content),
)

/** Room for so many bytes, and for the vectors and pairs of bytes that are read at the end. */
export function keep(engine: Engine, bytes: number): Kept {
  const content: Content = { bytes: bytes + 32, turn: 0 }
  const own: Kept = {
    at() {
      if (content.address === undefined) {
        engine.bring(content)
        forgotten.register(own, { engine, content }, content)
      }
      content.turn = engine.turn()
      return content.address!
    },
    release() {
      forgotten.unregister(content)
      engine.discard(content)
    },
  }
  own.at()
  return own
}

/** No longer waits for whoever kept it to be forgotten: it has moved out. */
export function movedOut(content: Content): void {
  forgotten.unregister(content)
}
