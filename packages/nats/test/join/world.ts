// A server of NATS, instances of a bus, and processes that have joined it (here all in one): for a test, and gone with it.
import { createBus, defineCore, type Bus, type BusOptions, type CoreDefinition } from '@sallyport/core'
import { onTestFinished } from 'vitest'
import {
  createBusSecret,
  issueCredential,
  joinBus,
  natsNetwork,
  type JoinOptions,
  type JoinedBus,
  type NatsNetworkOptions,
} from '../../src/index.js'
import { useServer, type NatsServer, type ServerOptions } from '../server.js'

export type Pattern = 'brownfield' | 'isolation'

/** Found soon where it is lost: the tests wait for that. */
const HEARTBEAT = 300

/** What has gone on in the handlers of one instance. */
export interface Seen {
  name: string
  aborted: unknown[]
  letGo: (() => void)[]
  events: unknown[]
}

const commands = (seen: Seen) => ({
  who: () => seen.name,
  add: ({ a, b }: { a: number; b: number }) => a + b,
  echo: (args: unknown) => args,
  length: ({ data }: { data: Uint8Array }) => data.byteLength,
  fail: () => {
    throw { kind: 'NotFound', id: 7 }
  },
  hold: (_args: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<string>(resolve => {
      signal.addEventListener('abort', () => seen.aborted.push(signal.reason))
      seen.letGo.push(() => resolve(seen.name))
    }),
  count: async function* ({ to, size = 0 }: { to: number; size?: number }) {
    for (let at = 0; at < to; at++) {
      seen.events.push(at)
      yield size === 0 ? at : 'x'.repeat(size)
    }
  },
  send: async ({ to, channel }: { to: number; channel: { send(message: unknown): Promise<void>; end(): void } }) => {
    for (let at = 0; at < to; at++) await channel.send(at)
    channel.end()
    return seen.name
  },
})

const coreOf = (seen: Seen): CoreDefinition =>
  defineCore({
    commands: { ...commands(seen) },
    setup: app => {
      app.listen('ping', ({ payload }) => {
        seen.events.push(payload)
        app.emit('pong', { from: seen.name, payload })
      })
    },
  })

const permissions = ['who', 'add', 'echo', 'length', 'fail', 'hold', 'count', 'send'].map(name => `allow-${name}`)
const everything = { identifier: 'everything', windows: ['*'], permissions }

export interface World {
  readonly server: NatsServer
  readonly secret: string
  /** One more instance. */
  start(name: string, options?: Partial<BusOptions>, network?: Partial<NatsNetworkOptions>): Promise<Instance>
  credential(label: string): string
  join(options?: Partial<JoinOptions>): Promise<JoinedBus>
}

export interface Instance {
  readonly bus: Bus
  readonly seen: Seen
}

export async function useWorld(pattern: Pattern = 'brownfield', server?: ServerOptions): Promise<World> {
  const nats = await useServer(server)
  const secret = createBusSecret()
  const ends: (() => Promise<void>)[] = []
  onTestFinished(async () => {
    for (const end of ends.toReversed()) await end()
  })
  const security = {
    pattern: pattern === 'isolation' ? { use: pattern, options: { dir: hook('judge') } } : { use: pattern },
  } as const
  const credential = (label: string): string => issueCredential(secret, { label })
  return {
    server: nats,
    secret,
    credential,
    async start(name, options, network) {
      const seen: Seen = { name, aborted: [], letGo: [], events: [] }
      const bus = await createBus({
        core: coreOf(seen),
        log: false,
        app: { security: { ...security, capabilities: [everything] } },
        network: natsNetwork({
          nats: { servers: nats.url },
          bus: 'test',
          secret,
          instance: name,
          heartbeat: HEARTBEAT,
          ...network,
        }),
        ...options,
      })
      ends.push(() => bus.close({ timeout: 0 }))
      return { bus, seen }
    },
    async join(options) {
      const joined = await joinBus({
        nats: { servers: nats.url },
        bus: 'test',
        credentials: credential,
        heartbeat: HEARTBEAT,
        log: false,
        app: { security },
        ...options,
      })
      ends.push(() => joined.close())
      return joined
    },
  }
}

export const hook = (name: string): URL => new URL(`../../../core/test/fixtures/hooks/${name}/`, import.meta.url)
