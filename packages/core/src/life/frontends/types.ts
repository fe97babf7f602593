// The two things that a frontend connects, the runtime of its code and core, and what the host says of it.
import type { CallerContexts, Client } from '@sallyport/frontend/internal'
import type { FrontendStart, InitScript, Peer, SuspendedScript } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { CoreCommand, LinkOffer } from '../../contract/host-core.js'
import type { Life } from '../table.js'
import type { WorkerState, WorkerStats } from '../policy.js'
import type { RelaySockets, SocketOwner } from '@sallyport/process/internal'
import type { Sandbox } from '../sandboxes/kinds.js'
import type { HostServices } from './services.js'

/** @internal */
export interface FrontendHost extends HostServices {
  readonly core: CoreEndpoint
}

export interface FrontendRuntime {
  readonly life: Life
  readonly stats: WorkerStats
  /** Of a client in this thread, if core runs in it, too. */
  readonly callers?: CallerContexts | undefined
  /** The sockets of its process, if that has some. A link can only be one over them. */
  readonly sockets?: RelaySockets | undefined
  /** Hands over a link. The first link starts the code; later links replace it. */
  connect(link: LinkEndpoint): void
  /** Asks the code whether it runs. What it has reported before has arrived before its answer. Code that has ended does not answer. */
  ask(onAnswer: () => void, onEnd?: () => void): void
  /** Refuses the calls and events of the code from now on. Absent for code in another thread, whose calls can be part of others. */
  refuseCalls?(createError: () => BusError): void
  /** Resolves once the calls of the code that wait for a response now have been settled. Absent for code in another thread, which can make calls meanwhile. */
  callsSettled?(): Promise<void>
  /**
   * Reloads the frontend's module. Resolves once it has been evaluated, and rejects with its error or `Timeout`. Absent for
   * code of the host itself, which has no module.
   */
  reload?(): Promise<void>
}

/** What the code of a frontend says. */
export interface RuntimeEvents {
  /** The code's client has refused further calls and events with `Overloaded`. The code can forge their number. */
  unsent(count: number): void
  /** The code of `bus.run` did not handle a rejection. The code can forge it. */
  unhandled(error: unknown): void
  /** The code has been interrupted, and runs no more. Code that is no script can forge it. */
  suspended(script: SuspendedScript): void
}

/** Core as seen by the frontends that are attached to it: in this process, or behind a network. */
export interface CoreEndpoint extends Partial<Peer> {
  readonly isUp: boolean
  readonly isInProcess: boolean
  /** True if core runs in another process, behind a network: a caller can vanish without notice, so calls carry deadlines. */
  readonly isRemote: boolean
  /** Absent if core is in another process. */
  readonly worker?: SocketOwner
  /** Scripts of core's plugins. None are known of a remote core. */
  readonly scripts: readonly InitScript[]
  attach(offer: LinkOffer): void
  /** A frontend for which it has served something is open no more. Absent if core is in another process. */
  served?(): void
  /** Restarts core. Absent if core is in another process. */
  reload?(): Promise<void>
  /** Reports that the code of a frontend begins, that nothing more comes over a link, or that the code has ended. */
  post(command: Extract<CoreCommand, { type: 'begin' | 'detach' | 'ended' }>): void
}

/** One frontend of this host. */
export interface FrontendInfo {
  /** The label. */
  label: string
  /**
   * The state of its worker. `stopped` and `failed` for one that has ended by itself, until its label is used again. `disconnected` for the
   * label of web pages while no page has it.
   */
  state: WorkerState
  /** The kind of its sandbox. `none` for connections of the host, `external` for web pages. */
  sandbox: Extract<Sandbox, string> | 'external'
  /** The wall around its process: the name of a launcher, or `none`. Only for a frontend that runs in one. */
  wall?: string
  /** Start of its current or last thread, in milliseconds since 1970. */
  startedAt: number
  /** Number of restarts. */
  restarts: number
  /** The last error that ended its thread, unless it has been reloaded since. */
  error?: Error
}

/** The place of a session among several of one connection. */
export interface PoolMember {
  readonly name: string
  /** Client that the session is added to. The first session creates it. */
  readonly client: Client | undefined
}

/** One of several sessions of a connection. */
export interface PooledSession {
  /** The client that uses the session. */
  readonly client: Client
  /** Resolves with the error, if any, once the session has ended for good. The client can have other sessions. */
  readonly closed: Promise<Error | undefined>
}

type ClientOption = 'label' | 'codec' | 'data' | 'timeout' | 'maxInFlight' | 'overflow' | 'deadlines'

/** Options of a frontend's client, wherever its code runs. */
export type ClientStart = Pick<FrontendStart, ClientOption>

/** A connected program outside of this process, such as a web page: the code of an external frontend. */
export interface ExternalCode {
  readonly link: Link
  /** Called when core has a link for the code, before the first frame. */
  connected(): void
}

/** A frontend whose code runs outside of this process, as its owner controls it. */
export interface ExternalFrontend {
  readonly client: ClientStart & Pick<FrontendStart, 'development'>
  /** Resolves with the error, if any, once the frontend has ended for good. */
  readonly exited: Promise<Error | undefined>
  /** Connects the code as soon as core and the gate are ready. Code that has joined before is disconnected. */
  join(code: ExternalCode): void
  /** Disconnects this code, unless other code has taken its place. */
  leave(code: ExternalCode): void
  close(): Promise<void>
}
