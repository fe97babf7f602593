// The interface between core and a network, which it does not know more of.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { EventTarget } from '@sallyport/protocol/internal/message'
import type { Opener } from '@sallyport/protocol/internal/records'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { Logger } from 'pino'
import type { Pattern } from '../acl/types.js'
import type { AppInfo, NetworkCounts, NetworkStats } from './host-core.js'

/** A session from the network. The network has authenticated the frontend. */
export interface NetworkSession {
  /** The frontend's label, which the network has verified. */
  label: string
  /** The codec of the session. */
  codec: CodecName
  /** The link to the frontend. */
  link: Link
  /** Opens the records of the frontend's gate. Required in the isolation pattern, refused in brownfield. */
  opener?: Opener | undefined
}

/** A session that core has accepted. */
export interface Accepted {
  /** The frontend's code begins to run, and the others are notified. */
  begin(): void
  /** The frontend has ended, and not only its link. */
  end(): void
}

/** Services that core offers to its network. */
export interface Hub {
  /** The pattern of the bus. */
  readonly pattern: Pattern
  /** Name, version and identifier of the app. */
  readonly appInfo: AppInfo
  /** Core's log. */
  readonly log: Logger
  /**
   * Opens a session with the capabilities, quotas and events of any frontend of its label. Closes an earlier session from the
   * network with the same label.
   *
   * @throws {BusError} `InvalidRequest` if a frontend of this bus has the label, or the session is sealed in brownfield or not
   * sealed in isolation; `InvalidParams` for an invalid label or codec; `Disconnected` while core drains
   */
  accept(session: NetworkSession): Accepted
  /**
   * Sets the one listener of events that core, the host or a frontend emits here. Events from `deliver`, and core's own about
   * frontends, do not reach it. Its errors reject the emit.
   */
  onEmit(listener: (target: EventTarget | undefined, event: string, payload: unknown) => void): void
  /**
   * Sends an event of another core to the listeners of this one.
   *
   * @throws {BusError} `InvalidParams` for an invalid name or target, and for a payload that cannot be serialized for a listener
   */
  deliver(target: EventTarget | undefined, event: string, payload: unknown): void
  /** Returns what this core has counted of its network sessions. */
  counts(): NetworkCounts
  /** Reports a protocol violation of this frontend to the host, as a `fault`. */
  fault(label: string, error: BusError): void
}

/** The result of a network module's `join`. */
export interface Network {
  /** Returns the figures that `bus.stats()` shows as `network`. */
  stats(): NetworkStats
  /** Rejects further sessions, while core waits for running calls. */
  drain(): Promise<void>
  /** Ends all sessions and the connection, after everything that was sent before has left. */
  close(): Promise<void>
}

/** The export `join` of the module that `createBus({ network: { module, options } })` names. */
export type JoinNetwork = (hub: Hub, options: unknown) => Promise<Network>
