// The state machines as pictures, drawn from their own definitions. The page marks the state that an actor is in.
import { Graph, layout } from '@dagrejs/dagre'
import { createWorkerMachine } from '@sallyport/protocol/actor'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { BusView } from './view.js'

export interface Diagram {
  id: 'bus' | 'thread' | 'life'
  title: string
  svg: string
}

const CHARACTER = 7.4
const HEIGHT = 28

export const drawDiagrams = ({ bus, thread }: BusView['machines']): Diagram[] => [
  { id: 'bus', title: 'The bus', svg: draw('bus', bus) },
  { id: 'thread', title: 'A worker, as the host sees it', svg: draw('thread', thread) },
  { id: 'life', title: 'The worker itself', svg: draw('life', createWorkerMachine() as AnyStateMachine) },
]

interface Step {
  from: string
  to: string
  on: string[]
}

interface Point {
  x: number
  y: number
}

function draw(id: string, machine: AnyStateMachine): string {
  const states = leavesOf(machine.root)
  const graph = new Graph({ multigraph: false })
  graph.setGraph({ rankdir: 'TB', nodesep: 12, edgesep: 8, ranksep: 34, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { key } of states) graph.setNode(key, { width: Math.round(key.length * CHARACTER) + 18, height: HEIGHT })
  const steps = stepsOf(states)
  for (const { from, to } of steps) graph.setEdge(from, to, {})
  layout(graph)
  const bends = steps.flatMap(({ from, to }) => (graph.edge(from, to) as { points: Point[] }).points.map(({ x }) => x))
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const edges = steps.map(({ from, to, on }) => {
    const { points } = graph.edge(from, to) as { points: Point[] }
    return `<path class="step" data-from="${from}" data-to="${to}" data-on="${on.join(', ')}" d="${curve(points)}" marker-end="url(#tip-${id})"/>`
  })
  const nodes = states.map(({ key, type }) => {
    const { x, y, width: wide } = graph.node(key) as { x: number; y: number; width: number }
    const box = `<rect x="${x - wide / 2}" y="${y - HEIGHT / 2}" width="${wide}" height="${HEIGHT}" rx="${type === 'final' ? 4 : 14}"/>`
    return `<g class="state ${type}" data-state="${key}">${box}<text x="${x}" y="${y + 4.5}">${key}</text></g>`
  })
  const tip = `<defs><marker id="tip-${id}" class="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.8 8 4 0 7.2z"/></marker></defs>`
  // Its own width is that of the states: steps may lead around them.
  const left = Math.floor(Math.min(0, ...bends)) - 1
  const [w, h] = [Math.ceil(Math.max(width, ...bends)) + 1 - left, Math.ceil(height)]
  return `<svg class="machine" role="img" viewBox="${left} 0 ${w} ${h}" width="${w}" height="${h}">${tip}${edges.join('')}${nodes.join('')}</svg>`
}

/** States with states in them are drawn as those: an actor is always in one of these. */
const leavesOf = (node: AnyStateNode): AnyStateNode[] =>
  Object.values(node.states).flatMap(state => (Object.keys(state.states).length > 0 ? leavesOf(state) : [state]))

const entryOf = (node: AnyStateNode): AnyStateNode =>
  Object.keys(node.states).length > 0 ? entryOf(node.initial.target[0] as AnyStateNode) : node

/** What an outer state does on an event, each inner one does that has nothing of its own for it. */
function stepsOf(states: readonly AnyStateNode[]): Step[] {
  const steps = new Map<string, Step>()
  for (const leaf of states) {
    const known = new Set<string>()
    // What holds for the whole machine leads from everywhere: it would hide the rest.
    for (let node: AnyStateNode | undefined = leaf; node?.parent; node = node.parent) {
      for (const [on, targets] of transitionsOf(node)) {
        if (known.has(on)) continue
        known.add(on)
        for (const target of targets) add(steps, leaf.key, entryOf(target).key, nameOf(on))
      }
    }
  }
  return [...steps.values()]
}

function add(steps: Map<string, Step>, from: string, to: string, on: string): void {
  if (from === to) return
  const step = steps.get(`${from} ${to}`)
  if (!step) steps.set(`${from} ${to}`, { from, to, on: [on] })
  else if (!step.on.includes(on)) step.on.push(on)
}

const transitionsOf = (node: AnyStateNode): [string, AnyStateNode[]][] =>
  [...node.transitions, ['', node.always ?? []] as const].map(([on, transitions]) => [
    on,
    transitions.flatMap(({ target }) => (target?.[0] ? [target[0] as AnyStateNode] : [])),
  ])

/** `xstate.after.backOff.thread.backingOff` is a delay, `xstate.done.actor.…` the end of what was invoked, `` at once. */
function nameOf(event: string): string {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  if (kind === 'after') return `after ${delay}`
  return kind ?? (event === '' ? 'at once' : event)
}

/** Through the middles between its points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points.map(({ x, y }) => ({ x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 }))
  const last = rest.pop()!
  const middles = rest.map((point, at) => {
    const next = rest[at + 1] ?? last
    const isLast = at === rest.length - 1
    const end = isLast ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${point.x} ${point.y} ${end.x} ${end.y}`
  })
  return `M${first!.x} ${first!.y}${middles.join('') || `L${last.x} ${last.y}`}`
}
