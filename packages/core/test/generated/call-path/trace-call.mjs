// Prints, as JSON, which functions of which source files run in the threads of a frontend, its gate and core during one `invoke` over
// rings. The argument is the pattern. Precise coverage counts the calls of each function of the bundles; their source maps lead to the
// files. The host takes no part in a call, so its inspector controls the workers; it cannot reach those under the permission model.
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { SourceMap } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createBus } from '@sallyport/core'

const PACKAGE = /\/packages\/(\w+)\/dist\/bundle\//
/** A function counts if it runs during each of these calls, so that timers of a thread don't. */
const CALLS = 4

const hooks = fileURLToPath(new URL('../../fixtures/isolation/hooks/judge', import.meta.url))

const inspector = new Session()
inspector.connect()
/** For each worker, a function that sends a command to its inspector. */
const workers = []
inspector.on('NodeWorker.attachedToWorker', ({ params: { sessionId } }) => {
  const pending = []
  inspector.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, result } = params.sessionId === sessionId ? JSON.parse(params.message) : {}
    pending[id]?.(result)
  })
  workers.push(
    (method, params) =>
      new Promise(resolve => {
        const message = JSON.stringify({ id: pending.push(resolve) - 1, method, params })
        void inspector.post('NodeWorker.sendMessageToWorker', { sessionId, message })
      }),
  )
})
await inspector.post('NodeWorker.enable', { waitForDebuggerOnStart: false })

const gateEntry = new URL(import.meta.resolve('@sallyport/isolation/worker'))
const bus = await createBus({
  core: new URL('core.mjs', import.meta.url),
  frontends: {
    main: { module: new URL('frontend.mjs', import.meta.url), sandbox: 'none', allow: ['greet'] },
  },
  ...(process.argv[2] === 'isolation' && { isolation: { dir: hooks } }),
  workers: { gate: options => new Worker(gateEntry, { ...options, execArgv: [] }) },
  log: false,
})
for (const post of workers) {
  await post('Profiler.enable')
  await post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
}

/** Makes a call, of which each thread's inspector knows only in the frontend. */
const call = () =>
  Promise.all(
    workers.map(post => post('Runtime.evaluate', { expression: 'globalThis.callGreet?.()', awaitPromise: true })),
  )

/** Returns the functions that ran in any worker since the last call, as `file name`. */
async function takeCoverage() {
  const ran = new Set()
  for (const post of workers) {
    const { result } = await post('Profiler.takePreciseCoverage')
    for (const { url, functions } of result.filter(script => PACKAGE.test(script.url))) {
      const { text, map } = readBundle(fileURLToPath(url))
      for (const { functionName, ranges } of functions) {
        const [{ startOffset, count }] = ranges
        // The whole module is a function without a name that begins at 0.
        if (count === 0 || startOffset === 0) continue
        const before = text.slice(0, startOffset).split('\n')
        const { originalSource } = map.findEntry(before.length - 1, before.at(-1).length)
        const source = /packages\/\w+\/src\/.*$/.exec(new URL(originalSource, url).href)?.[0]
        // SES is bundled, too.
        if (!source) continue
        // V8 writes `get size` and `#flush`, and the bundler names the second `read` of a bundle `read$1`.
        ran.add(`${source} ${functionName.replace(/^(get |set |#)/, '').replace(/\$\d+$/, '')}`)
      }
    }
  }
  return ran
}

const bundles = new Map()
function readBundle(path) {
  let bundle = bundles.get(path)
  if (!bundle) {
    bundle = { text: readFileSync(path, 'utf8'), map: new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))) }
    bundles.set(path, bundle)
  }
  return bundle
}

// The first call of a label loads and resolves more than later calls, so it is not measured.
for (let warm = 0; warm < 3; warm++) await call()
const traces = []
for (let count = 0; count < CALLS; count++) {
  await sleep(50)
  await takeCoverage()
  await call()
  traces.push(await takeCoverage())
}
await bus.close()
inspector.disconnect()
const ran = {}
for (const entry of traces[0]) {
  if (!traces.every(trace => trace.has(entry))) continue
  const [file, name] = entry.split(' ')
  ;(ran[file] ??= []).push(name)
}
console.log(JSON.stringify(ran))
