/** One thing that a sweep does: a node, all hidden nodes together, or a link. */
export type Block =
  | { readonly kind: 'node'; readonly k: number }
  | { readonly kind: 'joint' }
  | { readonly kind: 'link'; readonly k: number }

/** The order in which nodes are visited; links follow, and do not read each other. */
export type NodeOrder = 'descending' | 'ascending' | 'odd-even'

/**
 * Nodes in this order, then links 1 .. K. `descending` brings what the targets ask for down to the input within a sweep,
 * `ascending` is LPOM's, and under `odd-even` the nodes of each half do not read each other.
 */
export function nodesThenLinks(order: NodeOrder, nodes: number, links: number): Block[] {
  const up = Array.from({ length: nodes }, (_, i) => i + 1)
  const visited: Record<NodeOrder, number[]> = {
    ascending: up,
    descending: up.toReversed(),
    'odd-even': [...up.filter((k) => k % 2 === 1), ...up.filter((k) => k % 2 === 0)],
  }
  if (!Object.hasOwn(visited, order))
    throw new RangeError(
      `order is ${JSON.stringify(order)}, expected one of ${Object.keys(visited).join(', ')}; pass for example order: 'descending'.`,
    )
  return [...visited[order].map((k): Block => ({ kind: 'node', k })), ...linksFrom(1, links)]
}

/** Links from .. to. */
export function linksFrom(from: number, to: number): Block[] {
  return Array.from({ length: to - from + 1 }, (_, i): Block => ({ kind: 'link', k: from + i }))
}

export function nameOf(block: Block): string {
  return block.kind === 'joint' ? 'nodes' : `${block.kind} ${block.k}`
}
