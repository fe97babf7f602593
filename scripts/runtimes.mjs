// node|deno|bun scripts/runtimes.mjs: what a host can do on this runtime, as a table, each row with ok or the error. Deno and Bun are not supported
// (docs/reference/support.md): the weekly lane reports, and never fails for what does not work. It fails if what holds nothing there starts.
import { appendFileSync } from 'node:fs'

process.env.SALLYPORT_TRY_RUNTIME = '1'
const { createBus, defineCore } = await import('../packages/core/dist/bundle/index.js')

const TIMEOUT_MS = 20_000
const isNode = !('bun' in process.versions || 'deno' in process.versions)
const fixture = name => new URL(`../packages/core/test/fixtures/${name}`, import.meta.url)
const core = () => defineCore({ commands: { add: ({ a, b }) => a + b } })
const supervision = { restart: 'temporary', heartbeat: 1000 }

/** Opens a frontend, and closes the bus after a call. */
async function call(module, options, name = 'pid', args = {}, bus = {}) {
  const opened = await createBus({ core: core(), log: false, ...bus })
  try {
    await opened.open('main', module, { allow: '*', supervision, ...options })
    return await opened.call('main', name, args, { timeout: TIMEOUT_MS })
  } finally {
    await opened.close({ timeout: 200 })
  }
}

async function run(source, options) {
  const bus = await createBus({ core: core(), log: false })
  try {
    return await bus.run(source, options)
  } finally {
    await bus.close({ timeout: 200 })
  }
}

const expectError = (promise, text) =>
  promise.then(
    () => {
      throw new Error('nothing was thrown')
    },
    error => {
      if (!error.message.includes(text)) throw error
    },
  )

const script = { source: `import { expose } from '@sallyport/frontend'\nexpose({ pid: () => 1 })`, name: 'script.js' }
const thread = fixture('sandboxes/ends.mjs')
const withCore = { core: fixture('core.mjs') }

const features = {
  'bus.run': () => run('return await invoke("add", { a: 1, b: 2 })', { allow: ['add'] }),
  'a limit of bus.run': () => expectError(run('for (;;) {}', { limits: { time: 300 } }), '300'),
  'a script': () => call(script, { sandbox: 'quickjs' }),
  'a thread without a sandbox': () => call(thread, { sandbox: 'none' }, 'pid', {}, withCore),
  'a loop in a thread is ended': () =>
    expectError(call(thread, { sandbox: 'none' }, 'ends', { how: 'spin' }, withCore), 'blocked its event loop'),
}

/** On another runtime these must not start: their code would have all rights. */
const held = {
  "'permission'": () => call(thread, { sandbox: 'permission' }, 'pid', {}, withCore),
  "'process'": () => call(thread, { sandbox: 'process' }, 'pid', {}, withCore),
  isolation: () => call(thread, { sandbox: 'none' }, 'pid', {}, { ...withCore, isolation: {} }),
}

const within = promise => {
  let timer
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(reject, TIMEOUT_MS, new Error('it did not end'))
  })
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}

const describe = promise =>
  within(promise).then(
    () => 'ok',
    error => String(error.message).split('\n')[0].slice(0, 150),
  )

const rows = []
for (const [name, attempt] of Object.entries(features)) rows.push([name, await describe(attempt())])
let failed = false
for (const [name, attempt] of Object.entries(held)) {
  const outcome = await describe(attempt())
  rows.push([name, outcome])
  failed ||= (outcome === 'ok') !== isNode
}
const version = process.versions.bun ?? process.versions.deno ?? process.version
const table = [`| ${isNode ? 'Node.js' : 'bun' in process.versions ? 'Bun' : 'Deno'} ${version} | |`, '|---|---|']
const text = [...table, ...rows.map(([name, outcome]) => `| ${name} | ${outcome} |`), ''].join('\n')
console.log(text)
if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${text}\n`)
process.exit(failed ? 1 : 0)
