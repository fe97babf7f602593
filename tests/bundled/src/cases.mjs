// Starts a bus for each case and prints what its frontend saw, a line each. A case that fails is a line too, and the exit code.
import { createBus } from '@sallyport/core'

const here = name => new URL(name, import.meta.url)
const module = here('./main.mjs')
const isolation = { dir: here('./dist-isolation/') }
const permissions = ['allow-greet', 'allow-count', 'allow-reverse', 'allow-square']

const CASES = {
  brownfield: { frontend: { module } },
  none: { frontend: { module, sandbox: 'none' } },
  isolation: { frontend: { module }, isolation },
  process: { frontend: { module, sandbox: 'process' } },
  'isolated process': { frontend: { module, sandbox: 'process' }, isolation },
  quickjs: { frontend: { module: here('./script.js'), sandbox: 'quickjs' } },
  inspector: { ask: (_, bus) => page(bus) },
  pool: { ask: client => client.invoke('square', { number: 12 }) },
}

/** Whether the inspector has what its page is made of. */
async function page(bus) {
  const { url } = await bus.openInspector()
  const paths = ['/', '/inspector.css', '/inspector.js']
  return Promise.all(
    paths.map(pathname => fetch(Object.assign(new URL(url), { pathname })).then(({ status }) => status)),
  )
}

/** @param {import('@sallyport/core').WorkerFactories} workers */
async function run({ frontend, isolation, ask }, workers) {
  const bus = await createBus({
    core: here('./core.mjs'),
    frontends: frontend ? { main: frontend } : {},
    isolation,
    capabilities: [{ identifier: 'all', windows: ['*'], permissions }],
    workers,
    log: false,
  })
  try {
    if (ask) return await ask(await bus.connect('tests'), bus)
    return await new Promise((resolve, reject) => {
      bus.on('fault', ({ error }) => reject(error))
      bus.once('done', event => resolve(event.payload)).catch(reject)
      setTimeout(reject, 20_000, new Error('nothing came in 20 s')).unref()
    })
  } finally {
    await bus.close()
  }
}

/**
 * @param {readonly string[]} asked all, where it is empty
 * @param {import('@sallyport/core').WorkerFactories} [workers]
 */
export async function runCases(asked, workers = {}) {
  for (const name of asked.length > 0 ? asked : Object.keys(CASES)) {
    try {
      console.log(name, JSON.stringify(await run(CASES[name], workers)))
    } catch (error) {
      process.exitCode = 1
      console.log(name, 'failed:', error.message)
    }
  }
}
