// A script that was interrupted, as bytes: the memory of its VM, with the client and its calls. The host keeps them without reading
// them. Only a script host reads them again, with the limits of any script.
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { VmImage } from './vm-pool.js'

const compress = promisify(deflateRaw)
const decompress = promisify(inflateRaw)

/** Less than half of the time of the default level, for a tenth more bytes. */
const LEVEL = constants.Z_BEST_SPEED
/** What a VM has beside the memory that its script allocates, with the gaps in it. */
const OVERHEAD_BYTES = 40 * 2 ** 20
const LENGTH_BYTES = 4

export async function writeSnapshot({ memory, ...registers }: VmImage): Promise<Uint8Array> {
  const state = Buffer.from(JSON.stringify(registers))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(state.length)
  return compress(Buffer.concat([length, state, memory]), { level: LEVEL })
}

/** @param memory - MiB that the script can allocate @throws {BusError} Overloaded if it has more */
export async function readSnapshot(snapshot: Uint8Array, memory: number): Promise<VmImage> {
  const maxOutputLength = memory * 2 ** 20 + OVERHEAD_BYTES
  const bytes = await decompress(snapshot, { maxOutputLength }).catch((cause: NodeJS.ErrnoException) => {
    const text = `The continuation is larger than a script with ${memory} MiB of memory can be. Raise the limit`
    throw cause.code === 'ERR_BUFFER_TOO_LARGE'
      ? new BusError('Overloaded', text, { cause, data: { limit: 'memory', max: memory } })
      : cause
  })
  const start = LENGTH_BYTES + bytes.readUInt32LE()
  const registers = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, start)) as Omit<VmImage, 'memory'>
  return { ...registers, memory: bytes.subarray(start) }
}
