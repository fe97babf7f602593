// The page docs/reference/attempts.md, made of what the attempts have shown.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { arch, release, type } from 'node:os'

const PAGE = new URL('../../docs/reference/attempts.md', import.meta.url)

const CELLS = {
  held: 'held',
  'not possible here': '–',
  reached: '**reached**',
  'did not end': '**did not end**',
  'ended the host': '**ended the host**',
}

const toTable = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

/** One word if all versions of Node.js agree. */
function toCell(results, name) {
  const found = results.filter(({ words }) => words?.[name])
  const cells = found.map(({ words }) => CELLS[words[name]])
  if (new Set(cells).size < 2) return cells[0] ?? ''
  return found.map(({ version }, at) => `${version}: ${cells[at]}`).join(', ')
}

function toResults(ways, places, results) {
  const ran = places
    .map(place => ({ place, runs: results.filter(each => each.place === place && each.words) }))
    .filter(({ runs }) => runs.length > 0)
  const versions = new Set(results.map(({ version }) => version))
  const head = ran.map(({ place, runs }) =>
    runs.length === versions.size ? place.name : `${place.name}, Node.js ${runs.map(({ version }) => version).join()}`,
  )
  const rows = ways.map(({ name }) => [`\`${name}\``, ...ran.map(({ runs }) => toCell(runs, name))])
  return toTable(['attempt', ...head], rows)
}

function toMissing(places, results) {
  const lines = places.flatMap(place => {
    const missing = results.filter(each => each.place === place && each.reason)
    if (missing.length === 0) return []
    const versions = missing.map(({ version }) => version).join(' and ')
    return [`- ${place.name} (Node.js ${versions}): ${missing[0].reason.split('. ')[0]}.`]
  })
  return lines.length > 0 ? `Not on this machine, so not tried:\n\n${lines.join('\n')}` : ''
}

/** Of what is compared, and of the program behind a launcher. */
function getVersions() {
  const packages = ['ses', 'quickjs-emscripten-core', 'isolated-vm', 'deno'].map(name => {
    const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url)
    return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`
  })
  const { stdout } = spawnSync('bwrap', ['--version'], { encoding: 'utf8' })
  return [...packages, stdout?.trim() ?? 'no bubblewrap'].join(', ')
}

export function writePage(ways, places, results) {
  const nodes = [...new Set(results.map(({ node }) => node))].map(node =>
    execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1),
  )
  const ours = places.filter(({ isOurs }) => isOurs)
  const others = places.filter(({ isOurs }) => !isOurs)
  const page = `# Attempts

<!-- Written by npm run attempts. -->
What hostile code tries, in each sandbox of Sallyport on one machine, and for comparison in tools of others. \`npm run attempts\` wrote this page on ${new Date().toISOString().slice(0, 10)}, on ${type()} ${release()} (${arch()}) with Node.js ${nodes.join(' and ')}, ${getVersions()}.

Each try has a host of its own, in a process of its own. The judge is outside of both: a file with a random secret, a server that counts connections, a process that has ended. Each place is started as its documentation shows, with its own limits of memory and time. Nothing is granted but the directory of the code.

| word | |
|---|---|
| held | the code tried, and the judge saw nothing |
| **reached** | the judge saw it |
| – | not possible here: the code has nothing to try it with |
| **did not end** | the host was blocked until the judge ended it after 30 s |
| **ended the host** | the host had ended before it had an answer |

Where versions of Node.js differ, each has its word. These attempts are known ones: "held" says nothing about an unknown fault in an engine or a kernel.

## Sallyport

Each **reached** below is [documented](security.md#sandboxes) as open; any other makes the command fail. [Choose a sandbox](../guide/choose-a-sandbox.md) says which one to take.

${toResults(ways, ours, results)}

*After a fault in Node.js* is the wall alone: the process has every permission of Node's permission model, so that it loads native code from its directory. [Tests of the wall](security.md#the-wall) try more. \`'permission'\` is open to more than this table has: [what stays open](security.md#what-stays-open).

## Tools of others

${toResults(ways, others, results)}

A tool that gives code no function of the host, no files and no network has little to lose here, and the code little to work with. \`node:vm\`, SES, quickjs-emscripten and isolated-vm got one function of the host, as programs usually pass one. Workers, \`node --permission\` and Deno have the host's environment and no limit of all memory, unless their user sets one.

## A security boundary?

What each promises, by its documentation:

${toTable(
  ['place', 'a boundary against hostile code'],
  places.map(({ name, promises }) => [name, promises]),
)}

${toMissing(places, results)}

## What is tried

${toTable(
  ['attempt', 'the code', 'reached if'],
  ways.map(({ name, tries, decides }) => [`\`${name}\``, tries, decides]),
)}

## A new attempt

An attempt is one file in \`tests/attempts/ways\`. It exports \`tries\`, \`decides\` (a sentence each), \`reached\` (judges by what was seen) and a function, whose text runs in every place. \`npm run attempts -- --node 24 --ways my-attempt\` runs it alone, and writes no page.
`
  writeFileSync(PAGE, page.replaceAll(/\n{3,}/g, '\n\n'))
}
