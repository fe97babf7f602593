// What the host hands to a relay: the worker thread that starts, bridges and watches the process of one frontend.
import type { Heartbeat } from '@sallyport/protocol'

export interface RelayData {
  /** The flags of Node, and the module to start with. */
  args: string[]
  /** Where the process gets an empty folder: a relay has no environment that says so. */
  temporary: string
  /** `FrontendProcessStart`, serialized: no business of the relay's. */
  start: Uint8Array
  /** The frontend has a gate. */
  isolated: boolean
  heartbeat: Heartbeat | undefined
  limits: ProcessLimits
}

export interface ProcessLimits {
  /** MiB that may be resident. */
  memory?: number | undefined
  /** Share of one core, over `CPU_WINDOW_MS`. */
  cpu?: number | undefined
}
