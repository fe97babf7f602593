// Shared by the tests of cancelled calls: a bus over their fixtures, and every kind of call.
import { setEnvironmentData } from 'node:worker_threads'
import { installTauri } from '@sallyport/frontend/tauri'
import type { Bus, BusOptions, Capability, Client } from '../../src/index.js'
import { createBus } from '../../src/index.js'
import { fixture, isolation } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const commands = [
  'never',
  'pours',
  'stubborn',
  'hold',
  'count',
  'ran',
  'fails',
  'ask',
  'ask-on',
  'exits',
  'echo',
  'seen',
]
const capability: Capability = {
  identifier: 'calls',
  windows: ['*'],
  permissions: commands.map(name => `allow-${name}`),
}

export const patterns: [name: string, app: Partial<BusOptions>][] = choose([
  ['brownfield', {}],
  ['isolation', isolation('gatekeeper', {}, capability)],
])

export const begin = (options: Partial<BusOptions> = {}): Promise<Bus> =>
  createBus({ core: fixture('calls/calls.mjs'), log: false, ...options })

export interface CancelOptions {
  signal?: AbortSignal
  timeout?: number | false
}

export interface Caller {
  bus: Bus
  client: Client
  /** Returns what core and the exposed function have seen since the last call. */
  seen(): Promise<string[]>
}

export async function createCaller(bus: Bus, label = 'tests'): Promise<Caller> {
  const client = await bus.connect(label)
  const received: string[] = []
  client.expose({
    never: (_args: never, { signal }) => {
      received.push('never began')
      signal.addEventListener('abort', () => received.push(`never ${(signal.reason as { reason: string }).reason}`))
      return new Promise(() => {})
    },
  })
  const seen = async (): Promise<string[]> => [...received.splice(0), ...(await client.invoke<string[]>('seen'))]
  return { bus, client, seen }
}

interface Tauri {
  invoke(command: string, args: object, options: CancelOptions): Promise<unknown>
}

/** The command `hold` blocks core while this is 1. */
const held = new Int32Array(new SharedArrayBuffer(4))
setEnvironmentData('held', held)

/** Makes a call that core does not read before the call has settled. */
export async function whileHeld<T>(client: Client, call: () => Promise<T>): Promise<T> {
  Atomics.store(held, 0, 1)
  client.invoke('hold').catch(() => {})
  try {
    return await call()
  } finally {
    Atomics.store(held, 0, 0)
    Atomics.notify(held, 0)
  }
}

export interface Kind {
  call(caller: Caller, options: CancelOptions): Promise<unknown>
  /** The last thing that the handler sees. */
  end?: string
}

/** Kinds of calls that are not answered in time. */
export const kinds: Record<string, Kind> = {
  invoke: { call: ({ client }, options) => client.invoke('never', {}, options), end: 'never Cancelled' },
  stream: {
    async call({ client }, options) {
      for await (const value of client.stream('pours', {}, options)) if (value !== 1) return
    },
    end: 'pours Cancelled',
  },
  listen: { call: ({ client }, options) => whileHeld(client, () => client.listen('news', () => {}, options)) },
  once: { call: ({ client }, options) => whileHeld(client, () => client.once('news', () => {}, options)) },
  'bus.call': { call: ({ bus }, options) => bus.call('tests', 'never', {}, options), end: 'never Cancelled' },
  'app.call': {
    call: ({ client }, { timeout, signal }) =>
      timeout === undefined
        ? client.invoke('ask_on', { label: 'tests' }, signal && { signal })
        : client.invoke('ask', { label: 'tests', timeout }),
    end: 'never Cancelled',
  },
  "Tauri's invoke": {
    async call({ client }, options) {
      const window: { __TAURI_INTERNALS__?: Tauri } = {}
      const installed = installTauri(client, window)
      const call = window.__TAURI_INTERNALS__!.invoke('never', {}, options)
      await call.finally(() => installed.uninstall())
    },
    end: 'never Cancelled',
  },
}
