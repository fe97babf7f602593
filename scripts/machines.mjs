// Writes docs/internals/machines.md and its pictures from the state machines. With `--check`, exits with 1 if one of them is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const load = path => import(fromRoot(`packages/${path}`).href)
const { supervisorMachine: bus } = await load('core/dist/host/supervision/supervisor.js')
const { workerMachine: worker } = await load('core/dist/host/supervision/worker-machine.js')
const { LINK_TRANSITIONS } = await load('core/dist/host/frontends/link-lifecycle.js')
const { CODE_TRANSITIONS, STAGE_TRANSITIONS } = await load('core/dist/host/frontends/frontend-life.js')
const { draw, drawDiagrams } = await load('inspector/dist/host/page.js')

const PLACES = {
  bus: 'Runs in the host: `core/src/host/supervision/supervisor.ts`.',
  worker:
    'Runs in the host, once for each worker: `core/src/host/supervision/worker-machine.ts`. In any state, `fail` leads to `failed`. A run in a thread never restarts: it has the states `starting`, `running`, `leaving`, `draining`, `stopped` and `failed` in `single-worker.ts`.',
  frontend:
    'Runs in the host, once for each frontend, as a pure table with the next one: `core/src/host/frontends/frontend-life.ts`.',
  code: 'What core and the other frontends know of the code. The event `restarting` of code that is `restarting` changes no state, and core is informed again.',
  link: 'Runs in the host, once for each link, as a pure table: `core/src/host/frontends/link-lifecycle.ts`. The event `violated` of a link that is `active` or `closing` changes no state, and ends the code of the frontend.',
}
const LIGHT =
  'rect{fill:#fff;stroke:#6e7781}text{fill:#1f2328}.edge{stroke:#6e7781}.tip{fill:#6e7781}.back{fill:#f6f8fa}'
const DARK =
  'rect{fill:#0d1117;stroke:#8b949e}text{fill:#e6edf3}.edge{stroke:#8b949e}.tip{fill:#8b949e}.back{fill:#161b22}'
const STYLE = `<style>text{font:13px system-ui,sans-serif;text-anchor:middle}.edge{fill:none}.final rect{stroke-width:2}${LIGHT}rect.back{stroke:none}@media(prefers-color-scheme:dark){${DARK}rect.back{stroke:none}}</style>`

/** As a file of its own, with a background that follows the reader's colour scheme. */
const toPicture = svg =>
  svg.replace(/^<svg([^>]*viewBox="(\S+) (\S+) (\S+) (\S+)"[^>]*)>/, (_, attributes, x, y, width, height) => {
    const back = `<rect class="back" x="${x}" y="${y}" width="${width}" height="${height}"/>`
    return `<svg xmlns="http://www.w3.org/2000/svg"${attributes}>${STYLE}${back}`
  }) + '\n'

/** A table of states, with effects in the names of events. */
const drawTable = (id, title, table) => {
  const edges = new Map()
  const states = Object.entries(table).map(([from, row]) => {
    for (const [event, [to, ...effects]] of Object.entries(row)) {
      const edge = edges.get(`${from} ${to}`) ?? { from, to, events: [] }
      edge.events.push([event, effects.join(' ')].filter(Boolean).join(' / '))
      if (from !== to) edges.set(`${from} ${to}`, edge)
    }
    return { key: from, type: Object.keys(row).length > 0 ? 'atomic' : 'final' }
  })
  return { id, title, svg: draw(id, { states, edges: [...edges.values()] }) }
}

/** A row for each state: the states that can follow, and the events that lead to them. */
function toTable(svg) {
  const next = new Map()
  for (const [, from, to, on] of svg.matchAll(/data-from="(.*?)" data-to="(.*?)" data-on="(.*?)"/g))
    next.set(from, [...(next.get(from) ?? []), `\`${to}\` (${on})`])
  return ['| state | next |', '|---|---|', ...[...next].map(([from, to]) => `| \`${from}\` | ${to.join(', ')} |`)].join(
    '\n',
  )
}

const directory = 'docs/internals/'
const pages = new Map()
const diagrams = [
  ...drawDiagrams({ bus, worker }),
  drawTable('frontend', 'A frontend, as its host leads it', STAGE_TRANSITIONS),
  drawTable('code', 'The code of a frontend, as core knows it', CODE_TRANSITIONS),
  drawTable('link', 'A link of a frontend', LINK_TRANSITIONS),
]
const sections = diagrams.map(({ id, title, svg }) => {
  pages.set(`machine-${id}.svg`, toPicture(svg))
  return `## ${title}\n\n${PLACES[id]}\n\n![States: ${title}](machine-${id}.svg)\n\n${toTable(svg)}\n`
})
const intro =
  '`npm run docs:machines` draws this page from the code, and a test compares them. After a slash: the effects. Other events change nothing.'
pages.set('machines.md', `# State machines\n\n${intro}\n\n${sections.join('\n')}`)

const isStale = ([name, text]) =>
  !existsSync(fromRoot(directory + name)) || readFileSync(fromRoot(directory + name), 'utf8') !== text
if (process.argv.includes('--check')) process.exitCode = [...pages].some(isStale) ? 1 : 0
else for (const [name, text] of pages) writeFileSync(fromRoot(directory + name), text)
