// Writes docs/internals/machines.md from the state machines, and the timers of all packages. With `--check`, exits with 1 if it is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { toClocks } from './clocks.mjs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const load = name => import(fromRoot(`packages/core/dist/life/${name}.js`).href)
const { BUS } = await load('supervisor')
const { INITIAL, LIFE } = await load('table')

const [OF_BUS, ...REGIONS] = [
  ['The bus', 'Runs in the host: `core/src/life/supervisor.ts`.'],
  [
    'A worker',
    'The life of core, of a gate, and of the code of a frontend, as the host sees it: the table `core/src/life/table.ts`. Runs, connections and pages have the same table. `bus.stats()` calls `ending` and `killing` by what the host wants: `leaving`, `reloading` or `draining`; `renewed` `starting`, and `absent` `disconnected`.',
    'code',
  ],
  ['A frontend: its core', 'Further regions of the life of a frontend. This is core, as the frontend has it.', 'core'],
  ['A frontend: its gate', 'Without isolation, there is `none`.', 'gate'],
  ['A frontend: its stage', 'How far its opener has led it.', 'stage'],
  ['A frontend: its link', 'The link to core.', 'link'],
]

/** @param states of the table, or of the bus. A transition without an event is immediate. */
function draw(initial, states) {
  const events = new Map()
  for (const [from, { on = {}, always = [] }] of Object.entries(states)) {
    for (const [event, ways] of [...Object.entries(on), ['', always]]) {
      for (const way of [ways].flat()) {
        const to = typeof way === 'string' ? way : way.to
        const arrow = `${from} --> ${to}`
        if (to !== undefined && to !== from)
          events.set(arrow, new Set([...(events.get(arrow) ?? []), ...(event === '' ? [] : [event])]))
      }
    }
  }
  const arrows = [...events].map(([arrow, names]) => (names.size > 0 ? `${arrow}: ${[...names].join(', ')}` : arrow))
  return ['```mermaid', 'stateDiagram-v2', ...[`[*] --> ${initial}`, ...arrows].map(line => `  ${line}`), '```'].join(
    '\n',
  )
}

const toSection = ([title, text], picture) => `## ${title}\n\n${text}\n\n${picture}\n`
const page = `# State machines

\`npm run docs:machines\` draws this page from the code, and a test compares them. An arrow without a name is followed at once.

${[
  toSection(OF_BUS, draw('starting', BUS)),
  ...REGIONS.map(entry => toSection(entry, draw(INITIAL[entry[2]], LIFE[entry[2]]))),
].join('\n')}
${toClocks()}`

const file = fromRoot('docs/internals/machines.md')
if (!process.argv.includes('--check')) writeFileSync(file, page)
else if (readFileSync(file, 'utf8') !== page) process.exitCode = 1
