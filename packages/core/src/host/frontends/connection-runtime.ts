// The runtime of a frontend in the host's own thread: a connection, or one session of a connection that has several.
import {
  addConnection,
  type CallerContexts,
  callsSettled,
  type Client,
  createReconnectingClient,
  endClient,
  endConnection,
  reconnectClient,
} from '@sallyport/frontend/internal'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { ConnectionConfig } from '../options/config.js'
import type { Effects, LifeInput } from '../life/context.js'
import type { Obituary } from '../life/judge.js'
import type { FrontendTerms } from '../life/spec.js'
import { type Life, SteppedLife } from '../life/step.js'
import { getWorkerName, resolveSupervision, type WorkerStats } from '../supervision/policy.js'
import type { ClientStart, FrontendHost, FrontendRuntime, PoolMember, RuntimeEvents } from './types.js'

export interface ConnectionDeps {
  label: string
  config: ConnectionConfig
  host: FrontendHost
  /** Set if the client has several sessions, each with another core, with links and a gate of its own. */
  member: PoolMember | undefined
  onConnected(client: Client): void
}

/** Creates a client in the host's own thread, or adds a session to one. Each further link replaces the previous one. */
export function createConnectionRuntime(
  deps: ConnectionDeps,
  events: RuntimeEvents,
  terms: FrontendTerms,
): FrontendRuntime {
  const { label, config, host, member, onConnected } = deps
  let client = member?.client
  let link: Link | undefined
  const callers: CallerContexts | undefined = host.core.isInProcess ? new Map() : undefined
  const endWith = (error: Error | undefined): void => {
    if (client && !member) endClient(client, error as BusError | undefined)
    else if (client && link) endConnection(client, link, error as BusError | undefined)
  }
  const exited = (by: Obituary['by']): void => life.send({ type: 'OBITUARY', obituary: { ranCode: true, by } })
  const life = createPlainLife(label, terms, events, {
    isRunning: true,
    effects: {
      kill: ({ error }) => endWith(error),
      askToStop({ goal, sentence }) {
        const end = (): void => {
          endWith(goal === 'fail' ? sentence : undefined)
          exited('order')
        }
        if (goal === 'stop' && client && !member) void client.close().then(end)
        else end()
      },
    },
  })
  life.send({ type: 'READY' })
  return {
    life,
    callers,
    get stats(): WorkerStats {
      const { code } = life.value
      return { state: code === 'stopped' || code === 'failed' ? 'stopped' : 'running', restarts: 0 }
    },
    connect(endpoint) {
      const previous = link
      link = openLink(endpoint, true)
      if (client && previous && member) endConnection(client, previous, undefined)
      const onUnsent = (): void => events.unsent(1)
      if (!client)
        client = createReconnectingClient(link, { ...getClientStart(label, config, host), onUnsent, callers })
      else if (member) addConnection(client, link)
      else return void reconnectClient(client, link)
      if (previous) return
      void client.closed.then(() => exited('itself'))
      onConnected(client)
    },
    ask: setImmediate,
    async callsSettled() {
      if (client && !member) await callsSettled(client)
    },
  }
}

/** Returns the life of code outside of every worker, which never restarts by itself. */
export function createPlainLife(
  label: string,
  terms: FrontendTerms,
  events: RuntimeEvents,
  { effects, ...more }: Pick<LifeInput, 'effects' | 'isRunning' | 'isPage' | 'keepsLink'>,
): Life {
  let isOver = false
  const exit: Effects['exit'] = context => {
    events.ended(undefined, context)
    isOver = true
  }
  const input: LifeInput = {
    ...{ ...terms, ...more, name: getWorkerName('frontend', label), supervision: resolveSupervision('temporary') },
    ...{ now: () => performance.now(), random: Math.random, isDraining: () => false },
    effects: { ...terms.effects, ...effects, exit },
  }
  const life: Life = new SteppedLife(input, () => {
    if (!isOver) return
    isOver = false
    events.exited(life.context.error)
  })
  return life
}

export function getClientStart(label: string, config: ConnectionConfig, { options, core }: FrontendHost): ClientStart {
  const { codec, data, maxInFlight, overflow } = config
  const isolated = options.pattern === 'isolation'
  const { commandTimeout: timeout } = options.calls
  return { label, codec, data, isolated, timeout, maxInFlight, overflow, deadlines: core.isRemote }
}
