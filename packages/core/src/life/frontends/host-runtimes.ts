// The runtimes of frontends without a worker: a connection of the host's own thread, or one session of it; and code outside of this process, such as
// a web page, which joins with a link of its own to this thread, leaves when that link closes, and can join again.
import {
  addConnection,
  type CallerContexts,
  callsSettled,
  type Client,
  createReconnectingClient,
  endClient,
  endConnection,
  reconnectClient,
  refuseCalls,
} from '@sallyport/frontend/internal'
import { getWorkerName } from '@sallyport/protocol/internal/contract'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { bridge, openLink } from '@sallyport/protocol/internal/link'
import { onNextTick } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'
import { resolveSupervision, type WorkerStats } from '../policy.js'
import type { Effects, LifeTerms, Obituary } from '../judge.js'
import { hasEnded, type Life } from '../table.js'
import type { FrontendTerms } from '../thread.js'
import type { ConnectionConfig } from './config.js'
import type {
  ClientStart,
  ExternalCode,
  ExternalFrontend,
  FrontendHost,
  FrontendRuntime,
  PoolMember,
  RuntimeEvents,
} from './types.js'

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
  let refusal: (() => BusError) | undefined
  const callers: CallerContexts | undefined = host.core.isInProcess ? new Map() : undefined
  const endWith = (error: Error | undefined): void => {
    if (client && !member) endClient(client, error as BusError | undefined)
    else if (client && link) endConnection(client, link, error as BusError | undefined)
  }
  const exited = (by: Obituary['by']): void => life.send({ type: 'OBITUARY', obituary: { ranCode: true, by } })
  const effects: Partial<Effects> = {
    kill: ({ error }) => endWith(error),
    askToStop({ goal, sentence }) {
      const end = (): void => {
        endWith(goal === 'fail' ? sentence : undefined)
        exited('order')
      }
      if (goal === 'stop' && client && !member) void client.close().then(end)
      else end()
    },
  }
  const life = createPlainLife(label, host, terms, effects, { isRunning: true })
  life.send({ type: 'READY' })
  return {
    life,
    callers,
    get stats(): WorkerStats {
      return { state: hasEnded(life) ? 'stopped' : 'running', restarts: 0 }
    },
    connect(endpoint) {
      const previous = link
      link = openLink(endpoint, true)
      if (client && previous && member) endConnection(client, previous, undefined)
      if (!client) {
        const options = { ...getClientStart(label, config, host), onUnsent: () => events.unsent(1), callers }
        client = createReconnectingClient(link, options, () => host.core.scripts)
      } else if (member) addConnection(client, link)
      else return void reconnectClient(client, link)
      if (refusal) refuseCalls(client, refusal)
      if (previous) return
      void client.closed.then(() => exited('itself'))
      onConnected(client)
    },
    ask: onNextTick,
    refuseCalls(createError) {
      refusal = createError
      if (client) refuseCalls(client, createError)
    },
    async callsSettled() {
      if (client && !member) await callsSettled(client)
    },
  }
}

/** Returns the life of code outside of every worker, which never restarts by itself. */
function createPlainLife(
  label: string,
  { supervisor }: FrontendHost,
  terms: FrontendTerms,
  effects: Partial<Effects>,
  more: Pick<LifeTerms, 'isRunning' | 'isPage' | 'keepsLink'>,
): Life {
  return supervisor.createLife({
    ...{ ...terms, ...more, name: getWorkerName('frontend', label), supervision: resolveSupervision('temporary') },
    effects: [terms.effects, effects],
  })
}

export function getClientStart(label: string, config: ConnectionConfig, { options, core }: FrontendHost): ClientStart {
  const { codec, data, maxInFlight, overflow } = config
  const { commandTimeout: timeout } = options.calls
  return { label, codec, data, timeout, maxInFlight, overflow, deadlines: core.isRemote }
}

export interface ExternalRuntime extends FrontendRuntime, Pick<ExternalFrontend, 'join' | 'leave'> {
  /** Drops the link by which core has checked the options. The code can join from now on. */
  release(): void
}

export function createExternalRuntime(label: string, host: FrontendHost, terms: FrontendTerms): ExternalRuntime {
  /** Absent while no page has the label, and while core checks the frontend's options by a link. */
  let current: ExternalCode | undefined
  const left = (by: Obituary['by']): void => {
    current?.link.close()
    current = undefined
    life.send({ type: 'OBITUARY', obituary: { ranCode: true, by } })
  }
  const leave = (code: ExternalCode): void => {
    if (current === code) left('itself')
  }
  const effects = { askToStop: () => left('order'), kill: () => current?.link.close() }
  // The code's own link cannot change to another session: the code has to join again.
  const life = createPlainLife(label, host, terms, effects, { isPage: true, keepsLink: true })
  return {
    life,
    get stats(): WorkerStats {
      const isJoined = current !== undefined && life.value.link === 'active'
      return { state: hasEnded(life) ? 'stopped' : isJoined ? 'running' : 'disconnected', restarts: 0 }
    },
    release: () => left('itself'),
    join(code) {
      if (hasEnded(life)) return code.link.close()
      if (current) left('itself')
      current = code
      life.send({ type: 'JOIN' })
    },
    leave,
    connect(endpoint) {
      const code = current!
      code.connected()
      void bridge(openLink(endpoint, true), code.link).then(({ far }) => {
        if (far) {
          // Without a cause: a logger would append its text, which is in this one.
          const text = `The link of frontend ${describeName(label)} failed: ${far.message}`
          host.reporter.reportFault(label, new BusError(far.reason, text))
        }
        leave(code)
      })
    },
    ask: onNextTick,
  }
}
