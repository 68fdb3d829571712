import type { Reply, Request } from './messages.ts'

/** The worker's program as text; the build puts it in. */
declare const WORKER_SOURCE: string

type WithoutId<R> = R extends unknown ? Omit<R, 'id'> : never

/** Asks the worker; only replies to the newest request of a kind are passed on. */
export interface Solver {
  ask(request: WithoutId<Request>): void
}

/**
 * Starts the worker from the text in the page, so that the page is one file and works from a disk.
 *
 * @param hear gets every reply, with the kind of request it answers.
 * @param fail gets the reason when the worker breaks.
 */
export function startSolver(
  hear: (reply: Reply, asked: Request['kind']) => void,
  fail: (reason: string) => void,
): Solver {
  const address = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }))
  const worker = new Worker(address)
  const newest = new Map<Request['kind'], number>()
  const kinds = new Map<number, Request['kind']>()
  let count = 0
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const asked = kinds.get(data.id)!
    if (newest.get(asked) === data.id) hear(data, asked)
  }
  worker.onerror = (event) => fail(event.message)
  return {
    ask(request) {
      const id = ++count
      kinds.set(id, request.kind)
      newest.set(request.kind, id)
      worker.postMessage({ ...request, id })
    },
  }
}
