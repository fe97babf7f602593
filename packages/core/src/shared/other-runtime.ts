// Deno and Bun as the program of a host. It is not supported there: what would start and hold nothing is refused by name, also where
// SALLYPORT_TRY_RUNTIME lets a host start to find out what works.
import { BusError } from '@sallyport/protocol/internal/errors'

export function getOtherRuntime(): 'Bun' | 'Deno' | undefined {
  if ('bun' in process.versions) return 'Bun'
  return 'deno' in process.versions ? 'Deno' : undefined
}

/** @throws {BusError} InvalidParams on another runtime than Node.js */
export function requireNode(place: string, why: string): void {
  const runtime = getOtherRuntime()
  if (runtime === undefined) return
  throw new BusError('InvalidParams', `${place} is not available on ${runtime}: ${why}. Run the host with node`)
}
