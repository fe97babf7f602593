// One case of scripts/runtimes.mjs: prints `works` and exits with 0, or says why not.
import { createBus } from '@sallyport/core'
import core from './core.mjs'

const capabilities = [{ identifier: 'tests', windows: ['tests'], permissions: ['allow-greet'] }]
const at = name => new URL(name, import.meta.url)

async function start() {
  const bus = await createBus({ core, log: false })
  await bus.close()
  return 'Hello, World!'
}

async function call(options) {
  const bus = await createBus({ core, log: false, ...options })
  const client = await bus.connect('tests')
  const greeting = await client.invoke('greet', { name: 'World' })
  await bus.close()
  return greeting
}

async function frontend(sandbox) {
  const module = at(sandbox === 'ses' ? 'script.js' : 'frontend.mjs')
  const bus = await createBus({ core, log: false, frontends: { main: { module, sandbox } } })
  const greeting = await new Promise((resolve, reject) => {
    bus.on('fault', ({ error }) => reject(error))
    bus.once('greeted', ({ payload }) => resolve(payload))
  })
  await bus.close()
  return greeting
}

const CASES = {
  start,
  here: () => call({}),
  worker: () => call({ core: at('core.mjs') }),
  isolation: () => call({ app: { security: { pattern: { use: 'isolation' }, capabilities } } }),
  none: () => frontend('none'),
  permission: () => frontend('permission'),
  ses: () => frontend('ses'),
  process: () => frontend('process'),
}

try {
  const greeting = await CASES[process.argv[2]]()
  console.log(greeting === 'Hello, World!' ? 'works' : greeting)
  process.exit(greeting === 'Hello, World!' ? 0 : 1)
} catch (error) {
  console.log(error)
  process.exit(1)
}
