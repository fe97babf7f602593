// The core, the patterns and the sources of the tests of scripts (`sandbox: 'quickjs'`).
import type { Bus, BusOptions, FrontendOptions, Sandbox } from '../../src/index.js'
import { collectWorkers } from './shared-threads.js'
import { everyCommand, fixture, isolation, start } from './start.js'
import { choose } from '../../../../scripts/testing.js'

export const scriptCore: URL = fixture('sandboxes/scripts/core.mjs')

const capability = {
  ...everyCommand,
  permissions: [...everyCommand.permissions, 'allow-numbers', 'allow-call-frontend'],
}

export const scriptSandboxes: [name: string, sandbox: Sandbox][] = choose(
  [
    ['a thread', 'quickjs'],
    ['a process', { kind: 'quickjs', process: true }],
  ],
  0,
)

export const scriptApps: [name: string, app: Partial<BusOptions>][] = choose([
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, capability)],
])

/** Starts a bus, whose frontends' threads are collected. */
export async function startBus(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await start(options)
  collectWorkers()
  return bus
}

const source = `
  let count = 0
  sallyport.expose({
    count: () => ++count,
    label: () => [sallyport.label, sallyport.getLabel(), sallyport.data],
    greet: () => sallyport.invoke('greet', { name: sallyport.label }),
    never: () => new Promise(() => {}),
    print: text => console.log(text.text),
    flood: () => { const next = () => { for (let i = 0; i < 1000; i++) console.log('x'.repeat(4000)); setTimeout(next, 1) }; next() },
    calls: () => { const next = () => sallyport.invoke('greet', { name: 'x' }).then(next, next); for (let i = 0; i < 256; i++) next() },
    tick: () => { setInterval(() => sallyport.emit('tick', sallyport.label), 10) },
    listen: async () => { await sallyport.listen('now', () => { throw new Error('in a listener') }) },
    timer: () => { setTimeout(() => { throw new Error('in a timer') }, 1) },
    microtask: () => { queueMicrotask(() => { throw new Error('in a microtask') }) },
    promise: () => { void (async () => { await null; throw new Error('in a promise') })() },
    denied: () => { void sallyport.invoke('add', { a: 1, b: 2 }) },
    proxy: () => { setTimeout(() => { throw new Proxy({}, { has() { throw new Error('in a trap') } }) }) },
    later: () => { void sallyport.invoke('slow', { ms: 1 }).then(() => { throw new Error('after an answer') }) },
    spin: () => { for (;;); },
    change: () => { try { Object.prototype.changed = 1 } catch {} try { sallyport.label = 'x' } catch {} globalThis.changed = 1 },
    seen: () => [{}.changed, globalThis.changed, sallyport.label],
  })
`

export const open = async (
  bus: Bus,
  labels: readonly string[],
  options: FrontendOptions = {},
  group = 'g',
): Promise<void> => {
  for (const label of labels) {
    await bus.open(
      label,
      { source, name: `${label}.js` },
      { sandbox: { kind: 'quickjs', group }, allow: '*', ...options },
    )
  }
}

/** Returns the number of calls of `count`, which a restart resets. */
export const count = (bus: Bus, label: string): Promise<number | undefined> =>
  bus.call<number>(label, 'count').catch(() => undefined)
