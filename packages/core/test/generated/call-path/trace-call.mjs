// Prints, as JSON, which functions of which source files run during one `invoke`: core in this thread, the client over a port.
// Precise coverage counts the calls of each function of the bundles; their source maps lead to the files.
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { SourceMap } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBus, defineCore } from '@sallyport/core'

const PACKAGE = /\/packages\/(\w+)\/dist\/bundle\//

/** @type {(args: { name: string }) => string} */
const greet = ({ name }) => `Hello, ${name}!`
const bus = await createBus({ core: defineCore({ commands: { greet } }), log: false })
const client = await bus.connect('tests', { link: 'port' })
const profiler = new Session()
profiler.connect()
await profiler.post('Profiler.enable')
await profiler.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

/** Returns the functions that ran since the last call, by file. */
async function takeCoverage() {
  const { result } = await profiler.post('Profiler.takePreciseCoverage')
  const ran = new Map()
  for (const { url, functions } of result.filter(script => PACKAGE.test(script.url))) {
    const bundle = fileURLToPath(url)
    const text = readFileSync(bundle, 'utf8')
    const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')))
    for (const { functionName, ranges } of functions) {
      const [{ startOffset, count }] = ranges
      // The whole module is a function without a name that begins at 0.
      if (count === 0 || startOffset === 0) continue
      const before = text.slice(0, startOffset).split('\n')
      const { originalSource } = map.findEntry(before.length - 1, before.at(-1).length)
      const source = /packages\/\w+\/src\/.*$/.exec(new URL(originalSource, url).href)?.[0] ?? originalSource
      // V8 writes `get size` and `#flush`, and the bundler names the second `read` of a bundle `read$1`.
      const name = functionName.replace(/^(get |set |#)/, '').replace(/\$\d+$/, '')
      ran.set(source, [...(ran.get(source) ?? []), name])
    }
  }
  return ran
}

// The first call of a label loads and resolves more than later calls, so it is not measured.
for (let warm = 0; warm < 3; warm++) await client.invoke('greet', { name: 'World' })
await sleep(50)
await takeCoverage()
await client.invoke('greet', { name: 'World' })
const ran = await takeCoverage()
profiler.disconnect()
await bus.close()
console.log(JSON.stringify(Object.fromEntries(ran)))
