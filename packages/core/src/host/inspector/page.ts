// The HTML of the page, with drawings of the state machines. It contains only our own texts and the token. The page's script inserts
// what comes from a bus, as text.
import { Graph, layout } from '@dagrejs/dagre'
import { createWorkerMachine } from '@sallyport/protocol/internal/actor'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { BusView } from './view.js'

export const getPage = (token: string, diagrams: readonly Diagram[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sallyport inspector</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="inspector.css?token=${token}">
<script type="module" src="inspector.js?token=${token}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the figures</a>
<header>
<div class="top">
<h1>Sallyport inspector</h1>
<div class="controls">
<button type="button" id="pause" aria-pressed="false">Pause</button>
<fieldset class="themes">
<legend class="hidden">Colours</legend>
${['Auto', 'Light', 'Dark'].map(getTheme).join('\n')}
</fieldset>
</div>
</div>
<p class="verdict" id="verdict"><span id="sign" aria-hidden="true">…</span> <span><span id="line" role="status">Connecting to the bus …</span> <span id="lately"></span> <span id="age"></span></span></p>
<p class="soft" id="facts"></p>
<noscript><p class="verdict bad">The inspector needs JavaScript.</p></noscript>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="now"><h2 id="now">Now</h2><dl class="tiles" id="tiles"></dl></section>
<section aria-labelledby="events"><h2 id="events">The last ten minutes</h2>
<p class="soft">Recorded <span class="since"></span>. On the right: now. Equal events less than ten seconds apart share a mark; hover over it for details.</p>
<dl id="timeline"></dl>
</section>
<section aria-labelledby="frontends">
<h2 id="frontends">Frontends</h2>
<div class="bar"><label for="find">Find a label</label> <input id="find" type="search" maxlength="200" autocomplete="off" spellcheck="false"> <span class="soft" id="found"></span></div>
<div class="scroll" role="region" aria-labelledby="frontends" tabindex="0"><table id="traffic"></table></div>
<p class="soft">Rates are those of the last two seconds. p50 and p99: from the start of a command to its result, in core, since the frontend was opened.</p>
</section>
<section aria-labelledby="commands">
<h2 id="commands">Commands</h2>
<p class="soft">Calls since the inspector was opened, or core started. In flight, Oldest: earlier calls too.</p>
<div class="scroll" role="region" aria-labelledby="commands" tabindex="0"><table id="calls"></table></div>
</section>
<section aria-labelledby="states">
<h2 id="states">States</h2>
<div class="bar"><label for="actor">Worker</label> <select id="actor"></select> <span class="soft" id="counts"></span></div>
<div class="machines">
${diagrams.map(({ id, title, svg }) => `<figure class="panel" id="machine-${id}"><h3>${title}</h3><div class="picture">${svg}</div><figcaption></figcaption></figure>`).join('\n')}
</div>
</section>
<section aria-labelledby="refusals">
<h2 id="refusals">Denied and rejected</h2>
<p class="soft">The latest hundred <span class="since"></span>. Denied: no capability allows it, and Why says what to change. Rejected: the isolation hook refused it.</p>
<div class="scroll" role="region" aria-labelledby="refusals" tabindex="0"><table id="refused"></table></div>
</section>
<section aria-labelledby="troubles">
<h2 id="troubles">Faults and restarts</h2>
<p class="soft">The latest hundred <span class="since"></span>, including slow calls and dropped events. Where: the first file in the error's stack.</p>
<div class="scroll" role="region" aria-labelledby="troubles" tabindex="0"><table id="troubled"></table></div>
</section>
<section aria-labelledby="rights">
<h2 id="rights">Access</h2>
<div class="bar"><label for="whose">Frontend</label> <select id="whose"></select>
<label for="which">Find a command</label> <input id="which" type="search" maxlength="200" autocomplete="off" spellcheck="false">
<button type="button" id="refresh">Refresh</button></div>
<p class="soft" id="capabilities" role="status"></p>
<div class="scroll" role="region" aria-labelledby="rights" tabindex="0"><table id="access"></table></div>
</section>
</main>
<footer>Read-only: nothing here changes the bus, and no arguments, payloads or results are shown. The URL opens this page to anyone who has it.</footer>
</body>
</html>
`

const getTheme = (name: string): string => {
  const [value, checked] = [name.toLowerCase(), name === 'Auto' ? ' checked' : '']
  return `<label><input type="radio" name="theme" value="${value}"${checked}><span>${name}</span></label>`
}

export interface Diagram {
  id: 'bus' | 'worker' | 'lifecycle'
  title: string
  svg: string
}

/** Pixels. */
const CHARACTER_WIDTH = 7.4
const STATE_HEIGHT = 28

/** Draws the state machines from their definitions. The page's script marks the current states. */
export const drawDiagrams = ({ bus, worker }: BusView['machines']): Diagram[] => [
  { id: 'bus', title: 'The bus', svg: draw('bus', bus) },
  { id: 'worker', title: 'A worker, as the host sees it', svg: draw('worker', worker) },
  { id: 'lifecycle', title: 'The worker itself', svg: draw('lifecycle', createWorkerMachine() as AnyStateMachine) },
]

interface Edge {
  from: string
  to: string
  events: string[]
}

interface Point {
  x: number
  y: number
}

function draw(id: string, machine: AnyStateMachine): string {
  const states = getLeaves(machine.root)
  const edges = getEdges(states)
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

/** Returns the innermost states: an actor is always in one of them. */
const getLeaves = (node: AnyStateNode): AnyStateNode[] =>
  Object.values(node.states).flatMap(state => (Object.keys(state.states).length > 0 ? getLeaves(state) : [state]))

const getInitialLeaf = (node: AnyStateNode): AnyStateNode =>
  Object.keys(node.states).length > 0 ? getInitialLeaf(node.initial.target[0] as AnyStateNode) : node

/** A transition of an outer state is one of each inner state that has none for the same event. */
function getEdges(states: readonly AnyStateNode[]): Edge[] {
  const edges = new Map<string, Edge>()
  const add = (from: string, to: string, event: string): void => {
    if (from === to) return
    const edge = edges.get(`${from} ${to}`)
    if (!edge) edges.set(`${from} ${to}`, { from, to, events: [event] })
    else if (!edge.events.includes(event)) edge.events.push(event)
  }
  for (const leaf of states) {
    const known = new Set<string>()
    // Transitions of the whole machine are omitted: they lead from every state, and would hide the others.
    for (let node: AnyStateNode | undefined = leaf; node?.parent; node = node.parent) {
      for (const [event, targets] of getTransitions(node)) {
        if (known.has(event)) continue
        known.add(event)
        for (const target of targets) add(leaf.key, getInitialLeaf(target).key, toEventName(event))
      }
    }
  }
  return [...edges.values()]
}

const getTransitions = (node: AnyStateNode): [string, AnyStateNode[]][] =>
  [...node.transitions, ['', node.always ?? []] as const].map(([event, transitions]) => [
    event,
    transitions.flatMap(({ target }) => (target?.[0] ? [target[0] as AnyStateNode] : [])),
  ])

/** Shortens `xstate.after.backOff.worker.backingOff` and `xstate.done.actor.…`. A transition without an event is immediate. */
function toEventName(event: string): string {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  if (kind === 'after') return `after ${delay}`
  return kind ?? (event === '' ? 'immediately' : event)
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
