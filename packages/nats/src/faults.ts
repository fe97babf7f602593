// What goes wrong between a process and its network, told to its host: whoever floods the bus's subjects floods neither the log
// nor the host.
import { BusError, ReportLimit } from '@sallyport/protocol'

/** In core: for what has no frontend, or nobody knows whose it is. */
export const NOBODY = 'core'

export interface Faults {
  tell(label: string, error: BusError): void
  /** Tells what is held back. */
  flush(): void
}

export function createFaults(fault: (label: string, error: BusError) => void): Faults {
  const limit = new ReportLimit<{ label: string; error: BusError }>(({ label, error }, more) => {
    if (more === 0) return fault(label, error)
    fault(label, new BusError(error.reason, `${error.message} (and ${more} more, of this frontend and others)`))
  })
  return { tell: (label, error) => limit.add({ label, error }), flush: () => limit.flush() }
}
