// Between the host and a relay.
import type { Launch } from '../launchers/launcher.js'
import type { Heartbeat } from '@sallyport/protocol/internal'

/** Worker data of a relay, the thread that starts, bridges and watches the process of one frontend. */
export interface RelayData {
  /** The name of the frontend in errors. */
  name: string
  launch: Launch
  /** True if a launcher starts Node: the process of the frontend is then a descendant of the one that is spawned. */
  hasWall: boolean
  /** Directory for the process's empty working directory: a relay has no environment that names one. */
  temporary: string
  /** `FrontendStart`, serialized; the relay passes it on unread. */
  start: Uint8Array
  heartbeat: Heartbeat | undefined
  limits: ProcessLimits
}

export interface ProcessLimits {
  /** Resident memory in MiB. */
  memory?: number | undefined
  cpu?: number | undefined
  pids?: number | undefined
}
