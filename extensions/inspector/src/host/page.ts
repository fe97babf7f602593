// The HTML of the page, with drawings of the state machines. It contains only our own texts and the token. The page's script inserts
// what comes from a bus, as text.
import { Graph, layout } from '@dagrejs/dagre'
import type { InspectedBus, Machine, MachineState, MachineTransition } from '../contract/views.js'

export function getPage(html: string, token: string, diagrams: readonly Diagram[]): string {
  const figures = diagrams.map(
    ({ id, title, svg }) =>
      `<figure class="panel" id="machine-${id}"><h3>${title}</h3><div class="picture">${svg}</div><figcaption></figcaption></figure>`,
  )
  return html.replaceAll('{{token}}', token).replace('{{diagrams}}', () => figures.join('\n'))
}

export interface Diagram {
  id: 'bus' | 'worker'
  title: string
  svg: string
}

const CHARACTER_WIDTH = 7.4
const STATE_HEIGHT = 28

export const drawDiagrams = ({ bus, worker }: InspectedBus['machines']): Diagram[] => [
  { id: 'bus', title: 'The bus', svg: draw('bus', fromMachine(bus)) },
  { id: 'worker', title: 'A worker', svg: draw('worker', fromMachine(worker)) },
]

type Point = { x: number; y: number }

/** @internal Draws one machine as SVG. */
export function draw(id: string, { states, edges }: StateGraph): string {
  const graph = new Graph({ multigraph: false })
  graph.setGraph({ rankdir: 'TB', nodesep: 12, edgesep: 8, ranksep: 34, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { key } of states) {
    graph.setNode(key, { width: Math.round(key.length * CHARACTER_WIDTH) + 18, height: STATE_HEIGHT })
  }
  for (const { from, to } of edges) graph.setEdge(from, to, {})
  layout(graph)
  const getPoints = ({ from, to }: Edge): Point[] => (graph.edge(from, to) as { points: Point[] }).points
  const paths = edges.map(edge => {
    const { from, to, events } = edge
    const data = `data-from="${from}" data-to="${to}" data-on="${events.join(', ')}"`
    return `<path class="edge" ${data} d="${toCurve(getPoints(edge))}" marker-end="url(#tip-${id})"/>`
  })
  const nodes = states.map(({ key, type }) => {
    const { x, y, width } = graph.node(key) as { x: number; y: number; width: number }
    const corner = `x="${x - width / 2}" y="${y - STATE_HEIGHT / 2}"`
    const box = `<rect ${corner} width="${width}" height="${STATE_HEIGHT}" rx="${type === 'final' ? 4 : 14}"/>`
    return `<g class="state ${type}" data-state="${key}">${box}<text x="${x}" y="${y + 4.5}">${key}</text></g>`
  })
  const tip = `<defs><marker id="tip-${id}" class="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.8 8 4 0 7.2z"/></marker></defs>`
  // The graph's size is that of the states, but edges can lead around them.
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const bends = edges.flatMap(getPoints).map(({ x }) => x)
  const left = Math.floor(Math.min(0, ...bends)) - 1
  const [w, h] = [Math.ceil(Math.max(width, ...bends)) + 1 - left, Math.ceil(height)]
  return `<svg class="machine" role="img" viewBox="${left} 0 ${w} ${h}" width="${w}" height="${h}">${tip}${paths.join('')}${nodes.join('')}</svg>`
}

/** Returns a smooth path: quadratic curves that meet halfway between the points. */
function toCurve(points: readonly Point[]): string {
  const [first, ...rest] = points.map(({ x, y }) => ({ x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 }))
  const last = rest.pop()!
  const curves = rest.map((point, i) => {
    const next = rest[i + 1]
    const end = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : last
    return `Q${point.x} ${point.y} ${end.x} ${end.y}`
  })
  return `M${first!.x} ${first!.y}${curves.join('') || `L${last.x} ${last.y}`}`
}

export interface StateGraph {
  states: readonly { key: string; type: string }[]
  edges: readonly Edge[]
}

export interface Edge {
  from: string
  to: string
  events: string[]
}

/** @internal Returns the graph of a state machine of xstate. A transition of an outer state is one of each inner state that has none for the same event. */
export function fromMachine({ root }: Machine): StateGraph {
  const states = getLeaves(root)
  const edges = new EdgeMap()
  for (const leaf of states) {
    const known = new Set<string>()
    // Transitions of the whole machine are omitted: they lead from every state, and would hide the others.
    for (let node: MachineState | undefined = leaf; node?.parent; node = node.parent) {
      for (const [event, targets] of getTransitions(node)) {
        if (known.has(event)) continue
        known.add(event)
        for (const target of targets) edges.add(leaf.key, getInitialLeaf(target).key, toEventName(event))
      }
    }
  }
  return { states, edges: edges.all }
}

class EdgeMap {
  readonly #edges = new Map<string, Edge>()

  get all(): readonly Edge[] {
    return [...this.#edges.values()]
  }

  add(from: string, to: string, event: string): void {
    if (from === to) return
    const edge = this.#edges.get(`${from} ${to}`)
    if (!edge) this.#edges.set(`${from} ${to}`, { from, to, events: [event] })
    else if (!edge.events.includes(event)) edge.events.push(event)
  }
}

/** Returns the innermost states: an actor is always in one of them. */
const getLeaves = (node: MachineState): MachineState[] =>
  Object.values(node.states).flatMap(state => (Object.keys(state.states).length > 0 ? getLeaves(state) : [state]))

const getInitialLeaf = (node: MachineState): MachineState =>
  Object.keys(node.states).length > 0 ? getInitialLeaf(node.initial.target[0] as MachineState) : node

const getTransitions = (node: MachineState): [string, MachineState[]][] => {
  const immediate: readonly MachineTransition[] = node.always ?? []
  return [...node.transitions, ['', immediate] as const].map(([event, transitions]) => [
    event,
    transitions.flatMap(({ target }) => (target?.[0] ? [target[0] as MachineState] : [])),
  ])
}

/** Shortens `xstate.after.backOff.worker.backingOff` and `xstate.done.actor.…`. A transition without an event is immediate. */
function toEventName(event: string): string {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  if (kind === 'after') return `after ${delay}`
  return kind ?? (event === '' ? 'immediately' : event)
}
