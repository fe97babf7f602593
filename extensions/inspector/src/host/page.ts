// The HTML of the page, with drawings of the state machines. It contains only our own texts and the token. The page's script inserts
// what comes from a bus, as text.
import { Graph, layout } from '@dagrejs/dagre'
import type { InspectedBus, Machine } from '../contract/views.js'

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
  { id: 'bus', title: 'The bus', svg: draw('bus', toGraph(bus)) },
  { id: 'worker', title: 'A worker', svg: draw('worker', toGraph(worker)) },
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

interface StateGraph {
  states: readonly { key: string; type: string }[]
  edges: readonly Edge[]
}

interface Edge {
  from: string
  to: string
  events: string[]
}

/** @internal Returns the graph of the states of a machine. */
export function toGraph(machine: Machine): StateGraph {
  const edges = new Map<string, Edge>()
  for (const [from, { on = {}, always = [] }] of Object.entries(machine))
    for (const [event, transitions] of [...Object.entries(on), ['immediately', always] as const])
      for (const to of [transitions].flat().map(next => (typeof next === 'string' ? next : next.to))) {
        if (to === undefined || to === from) continue
        const edge = edges.get(`${from} ${to}`) ?? { from, to, events: [] }
        edges.set(`${from} ${to}`, edge)
        if (!edge.events.includes(event)) edge.events.push(event)
      }
  const states = Object.entries(machine).map(([key, { type = 'atomic' }]) => ({ key, type }))
  return { states, edges: [...edges.values()] }
}
