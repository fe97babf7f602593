// Writes docs/internals/machines.md and its pictures from the state machines. With `--check`, exits with 1 if one of them is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const load = path => import(fromRoot(path).href)
const { codeMachine, lifeMachine, supervisorMachine: bus } = await load('packages/core/dist/host/life/supervisor.js')
const { LIFE } = await load('packages/core/dist/host/life/table.js')
const { draw, drawDiagrams, fromMachine } = await load('extensions/inspector/dist/host/page.js')

const PLACES = {
  bus: 'Runs in the host: `core/src/host/life/supervisor.ts`.',
  worker:
    'The life of core, of a gate, and of the code of a frontend, as the host sees it: the table `core/src/host/life/table.ts`. Runs, connections and pages have the same table without xstate. `bus.stats()` calls `ending` and `killing` by what the host wants: `leaving`, `reloading` or `draining`; and `absent` `disconnected`.',
  core: 'Further regions of the life of a frontend. This is core, as the frontend has it.',
  gate: 'Without isolation, there is `none`.',
  stage: 'How far its opener has led it.',
  link: 'The link to core.',
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
const drawRegion = region => {
  const title = `A frontend: its ${region}`
  return { id: region, title, svg: draw(region, fromMachine({ root: lifeMachine.root.states[region] })) }
}
const [, ...regions] = Object.keys(LIFE)
const diagrams = [...drawDiagrams({ bus, worker: codeMachine }), ...regions.map(drawRegion)]
const sections = diagrams.map(({ id, title, svg }) => {
  pages.set(`machine-${id}.svg`, toPicture(svg))
  return `## ${title}\n\n${PLACES[id]}\n\n![States: ${title}](machine-${id}.svg)\n\n${toTable(svg)}\n`
})
const intro =
  '`npm run docs:machines` draws this page from the code, and a test compares them. Other events change nothing.'
pages.set('machines.md', `# State machines\n\n${intro}\n\n${sections.join('\n')}`)

const isStale = ([name, text]) =>
  !existsSync(fromRoot(directory + name)) || readFileSync(fromRoot(directory + name), 'utf8') !== text
if (process.argv.includes('--check')) process.exitCode = [...pages].some(isStale) ? 1 : 0
else for (const [name, text] of pages) writeFileSync(fromRoot(directory + name), text)
