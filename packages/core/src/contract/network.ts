// What a network module brings to this core, and what core offers to it. Core does not know what carries the links.
import type { BusError, CodecName, EventTarget, Link, Opener } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { Pattern } from '../acl/types.js'
import type { AppInfo, NetworkCounts, NetworkStats } from './control.js'

/** A session that a network brings: its transport has proved whose it is. */
export interface NetworkSession {
  label: string
  codec: CodecName
  link: Link
  /** In the isolation pattern: opens the records of its gate. Required there, and refused in brownfield. */
  opener?: Opener | undefined
}

/** A frontend of the network, as core holds it. */
export interface Accepted {
  /** Its code begins: the others are told of it. */
  begin(): void
  /** It is gone, and not only its link. */
  end(): void
}

/** What core gives to its network. */
export interface Hub {
  readonly pattern: Pattern
  /** Milliseconds that a record may take, where the bus was given that. */
  readonly maxRecordAge: number | undefined
  readonly appInfo: AppInfo
  readonly log: Logger
  /**
   * Takes a frontend in: authority, quotas and events are those of any frontend with its label. An earlier session of the same
   * label from the network is closed first.
   *
   * @throws BusError `InvalidRequest` where a frontend of this bus's own has the label, or the session is sealed where the
   * pattern has it otherwise; `InvalidParams` for a label or codec that is none; `Disconnected` while core drains
   */
  accept(session: NetworkSession): Accepted
  /** Told of each event that is emitted here, in core, the host or a frontend; not of those from `deliver`, nor of those that core
   * itself tells of frontends. One listener; what it throws rejects the emit. */
  onEmit(tell: (target: EventTarget | undefined, event: string, payload: unknown) => void): void
  /** Sends an event of another core to the listeners here. @throws BusError `InvalidParams` for a name or target that is none, and a payload that a listener can't be sent */
  deliver(target: EventTarget | undefined, event: string, payload: unknown): void
  counts(): NetworkCounts
  /** Tells the host, as a `fault` of this label. */
  fault(label: string, error: BusError): void
}

/** What `join` of a network's module gives. */
export interface Network {
  stats(): NetworkStats
  /** Takes no further session; core lets the calls that run end meanwhile. */
  drain(): Promise<void>
  /** Ends its sessions and its connection. What was sent before goes out. */
  close(): Promise<void>
}

/** The export `join` of the module that `createBus({ network: { module, options } })` names. */
export type JoinNetwork = (hub: Hub, options: unknown) => Promise<Network>
