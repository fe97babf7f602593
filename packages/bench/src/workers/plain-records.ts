// Records without a cipher, which replace `@sallyport/protocol/internal/records` to measure the cost of the cipher. Only the module
// loader of the benchmark's workers can do this, and no option or message of a bus.
import { BusError } from '@sallyport/protocol/internal/errors'
import type { Opener, Sealer } from '@sallyport/protocol/internal/records'

export * from '@sallyport/protocol/internal/records'

const HEADER_BYTES = 5

export const createSealer = (): Sealer => ({
  seal(kind, body, count) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const record = new Uint8Array(HEADER_BYTES + bytes.byteLength)
    new DataView(record.buffer).setUint32(0, count)
    record[4] = kind
    record.set(bytes, HEADER_BYTES)
    return record
  },
})

export const createOpener = (): Opener => ({
  open(record) {
    const kind = record[4]
    if (kind === undefined) throw new BusError('InvalidRequest', 'The record is too short')
    const count = new DataView(record.buffer, record.byteOffset).getUint32(0)
    return { kind, body: record.subarray(HEADER_BYTES), count }
  },
})

/** The hook of the module loader that replaces the real module. */
export function resolve<T>(
  specifier: string,
  context: { parentURL?: string | undefined },
  next: (specifier: string, context: object) => T,
): T | { url: string; shortCircuit: boolean } {
  const isReplaced = specifier === '@sallyport/protocol/internal/records' && context.parentURL !== import.meta.url
  return isReplaced ? { url: import.meta.url, shortCircuit: true } : next(specifier, context)
}
