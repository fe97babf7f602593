// The page before it knows anything. All that is put in comes from here: the token, and the pictures of our own machines. What a
// bus tells is put in by the page's script, as text.
import { Graph, layout } from '@dagrejs/dagre'
import { createWorkerMachine } from '@sallyport/protocol/actor'
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
<p class="verdict" id="verdict"><span id="sign" aria-hidden="true">…</span> <span id="line" role="status">Connecting to the bus …</span></p>
<p class="soft" id="facts"></p>
<noscript><p class="verdict bad">The inspector needs JavaScript.</p></noscript>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="now"><h2 id="now">Now</h2><dl class="tiles" id="tiles"></dl></section>
<section aria-labelledby="frontends">
<h2 id="frontends">Frontends</h2>
<div class="bar"><label for="find">Find a label</label> <input id="find" type="search" maxlength="200" autocomplete="off" spellcheck="false"> <span class="soft" id="found"></span></div>
<div class="scroll" role="region" aria-labelledby="frontends" tabindex="0"><table id="traffic"></table></div>
<p class="soft">Rates are those of the last two seconds. p50 and p99: from the start of a command to its result, in core, since the frontend was opened.</p>
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
<p class="soft">Denied: no capability allows it. Rejected: the isolation hook did not let it pass. The latest hundred <span class="since"></span>.</p>
<div class="scroll" role="region" aria-labelledby="refusals" tabindex="0"><table id="refused"></table></div>
</section>
<section aria-labelledby="troubles">
<h2 id="troubles">Faults and restarts</h2>
<p class="soft">The latest hundred <span class="since"></span>, slow calls and dropped events among them.</p>
<div class="scroll" role="region" aria-labelledby="troubles" tabindex="0"><table id="troubled"></table></div>
</section>
<section aria-labelledby="rights">
<h2 id="rights">Who may call what</h2>
<div class="bar"><label for="whose">Frontend</label> <select id="whose"></select>
<label for="which">Find a command</label> <input id="which" type="search" maxlength="200" autocomplete="off" spellcheck="false">
<button type="button" id="again">Look again</button></div>
<p class="soft" id="capabilities" role="status"></p>
<div class="scroll" role="region" aria-labelledby="rights" tabindex="0"><table id="access"></table></div>
</section>
</main>
<footer>Read-only: nothing here changes the bus, and no arguments, payloads or results are shown. The URL opens this page to whoever has it.</footer>
</body>
</html>
`

const getTheme = (name: string): string => {
  const [value, checked] = [name.toLowerCase(), name === 'Auto' ? ' checked' : '']
  return `<label><input type="radio" name="theme" value="${value}"${checked}><span>${name}</span></label>`
}

// The state machines as pictures, drawn from their own definitions. The page marks the state that an actor is in.

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
  const states = getLeaves(machine.root)
  const graph = new Graph({ multigraph: false })
  graph.setGraph({ rankdir: 'TB', nodesep: 12, edgesep: 8, ranksep: 34, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { key } of states) graph.setNode(key, { width: Math.round(key.length * CHARACTER) + 18, height: HEIGHT })
  const steps = getSteps(states)
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
const getLeaves = (node: AnyStateNode): AnyStateNode[] =>
  Object.values(node.states).flatMap(state => (Object.keys(state.states).length > 0 ? getLeaves(state) : [state]))

const getEntry = (node: AnyStateNode): AnyStateNode =>
  Object.keys(node.states).length > 0 ? getEntry(node.initial.target[0] as AnyStateNode) : node

/** What an outer state does on an event, each inner one does that has nothing of its own for it. */
function getSteps(states: readonly AnyStateNode[]): Step[] {
  const steps = new Map<string, Step>()
  for (const leaf of states) {
    const known = new Set<string>()
    // What holds for the whole machine leads from everywhere: it would hide the rest.
    for (let node: AnyStateNode | undefined = leaf; node?.parent; node = node.parent) {
      for (const [on, targets] of getTransitions(node)) {
        if (known.has(on)) continue
        known.add(on)
        for (const target of targets) add(steps, leaf.key, getEntry(target).key, getName(on))
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

const getTransitions = (node: AnyStateNode): [string, AnyStateNode[]][] =>
  [...node.transitions, ['', node.always ?? []] as const].map(([on, transitions]) => [
    on,
    transitions.flatMap(({ target }) => (target?.[0] ? [target[0] as AnyStateNode] : [])),
  ])

/** `xstate.after.backOff.thread.backingOff` is a delay, `xstate.done.actor.…` the end of what was invoked, `` at once. */
function getName(event: string): string {
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
