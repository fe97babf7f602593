// Between the host and a relay.
import type { MessagePort } from 'node:worker_threads'
import type { BrokerOptions } from '../network/broker.js'
import type { Launch, LaunchLimits } from '../launchers/launcher.js'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import type { FrontendPreparation, FrontendStart, Heartbeat } from '@sallyport/protocol/internal/contract'

/** Worker data of a relay, which starts and watches the process of one frontend. */
export interface RelayData {
  /** A spare has only a preparation, and gets its start as its first message. */
  start: RelayStart | FrontendPreparation
  launch: Launch
  /** Ports to the owners of the process's sockets: of one for both directions, or of one for each. Left out if the relay forwards frames. */
  sockets?: readonly MessagePort[] | undefined
  /** The name of the launcher that starts Node: the process of the frontend is then a descendant of the one that is spawned. */
  launcher?: string | undefined
  /** True if the process of the frontend is no descendant of it: its CPU time is unknown. */
  isElsewhere: boolean
  /** Directory for the process's empty working directory: a relay has no environment that names one. */
  temporary: string
  env: Readonly<Record<string, string>>
  /** Those of a process that is elsewhere are held there: what its client uses says nothing. */
  limits: LaunchLimits
  /** Two numbers, which the relay writes when it reads them for the limits: bytes of memory, and milliseconds of CPU time. */
  usage: SharedArrayBuffer
}

/** Host → relay, also: whose process it is. */
export interface RelayStart {
  type: 'start'
  name: string
  /** `FrontendStart`, serialized; the relay passes it on unread. */
  start: Uint8Array
  heartbeat: Heartbeat | undefined
  /** True for a script of `bus.run`, which a command can interrupt. */
  canSuspend?: boolean
  /** What the frontend reaches over the network, if that is a list of hosts. */
  network: BrokerOptions | undefined
}

export interface ScriptData {
  name: string
  start: FrontendStart
  heartbeat: Heartbeat | undefined
  maxRunMs: number
}

/** Worker data of the broker of a frontend in a worker. */
export interface BrokerData {
  broker: BrokerOptions
  link: LinkEndpoint
}
