// A NATS server, instances of a bus, and joined "processes", all in this process and for one test.
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
} from '../../../src/index.js'
import { useServer, type NatsServer, type ServerOptions } from '../server.js'

export type Pattern = 'brownfield' | 'isolation'

/** Short, because tests wait until lost peers are detected. */
const HEARTBEAT_MS = 300

/** Calls and events that an instance has seen. */
export interface Seen {
  name: string
  /** Reasons with which calls of `hold` were aborted. */
  aborted: unknown[]
  /** Functions that settle the calls of `hold`. */
  release: (() => void)[]
  events: unknown[]
}

const createCore = (seen: Seen): CoreDefinition =>
  defineCore({
    commands: {
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
          seen.release.push(() => resolve(seen.name))
        }),
      count: async function* ({ to, size = 0 }: { to: number; size?: number }) {
        for (let at = 0; at < to; at++) {
          seen.events.push(at)
          yield size === 0 ? at : 'x'.repeat(size)
        }
      },
      send: async ({
        to,
        channel,
      }: {
        to: number
        channel: { send(message: unknown): Promise<void>; end(): void }
      }) => {
        for (let at = 0; at < to; at++) await channel.send(at)
        channel.end()
        return seen.name
      },
    },
    setup: app => {
      app.listen('ping', ({ payload }) => {
        seen.events.push(payload)
        app.emit('pong', { from: seen.name, payload })
      })
    },
  })

const permissions = ['who', 'add', 'echo', 'length', 'fail', 'hold', 'count', 'send'].map(name => `allow-${name}`)
const capability = { identifier: 'all', windows: ['*'], permissions }

export interface TestNetwork {
  readonly server: NatsServer
  readonly secret: string
  startInstance(
    name: string,
    options?: Partial<BusOptions>,
    network?: Partial<NatsNetworkOptions>,
  ): Promise<TestInstance>
  createCredential(label: string): string
  join(options?: Partial<JoinOptions>): Promise<JoinedBus>
}

export interface TestInstance {
  readonly bus: Bus
  readonly seen: Seen
}

export async function useNetwork(pattern: Pattern = 'brownfield', options?: ServerOptions): Promise<TestNetwork> {
  const server = await useServer(options)
  const secret = createBusSecret()
  const closers: (() => Promise<void>)[] = []
  onTestFinished(async () => {
    for (const close of closers.toReversed()) await close()
  })
  const isolated = pattern === 'isolation' && { isolation: { dir: getHook('judge') } }
  const createCredential = (label: string): string => issueCredential(secret, { label })
  const shared = { nats: { servers: server.url }, bus: 'test', heartbeat: HEARTBEAT_MS }
  return {
    server,
    secret,
    createCredential,
    async startInstance(name, busOptions, network) {
      const seen: Seen = { name, aborted: [], release: [], events: [] }
      const bus = await createBus({
        core: createCore(seen),
        log: false,
        ...isolated,
        capabilities: [capability],
        network: natsNetwork({ ...shared, secret, instance: name, ...network }),
        ...busOptions,
      })
      closers.push(() => bus.close({ timeout: 0 }))
      return { bus, seen }
    },
    async join(joinOptions) {
      const joined = await joinBus({
        ...shared,
        credentials: createCredential,
        log: false,
        ...isolated,
        ...joinOptions,
      })
      closers.push(() => joined.close())
      return joined
    },
  }
}

export const getHook = (name: string): URL =>
  new URL(`../../../../../packages/core/test/fixtures/isolation/hooks/${name}/`, import.meta.url)

export const getReason = (error: unknown): unknown => (error as { reason?: unknown }).reason
