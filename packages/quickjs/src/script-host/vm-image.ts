// The state of a VM as bytes: the image that each VM begins with, which the package brings (scripts/bundle-image.mjs makes it), and the
// snapshot of a script that was interrupted. A snapshot has what differs from the image, so it needs the same image to be read again.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { Snapshot } from 'quickjs-wasi'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** The state of a VM: its memory, and what the module keeps beside it. */
export interface VmImage extends Pick<Snapshot, 'memory' | 'stackPointer' | 'runtimePtr' | 'contextPtr'> {
  /** Tokens of handles, in the order that the caller of `captureVm` has. */
  readonly handles: readonly number[]
}

/** The image that each VM begins with. */
export interface BaseImage extends Pick<Snapshot, 'stackPointer' | 'runtimePtr' | 'contextPtr'> {
  readonly memoryBytes: number
  /** The parts of its memory that differ from that of a VM which has just been instantiated. */
  readonly pages: readonly { readonly at: number; readonly content: Uint8Array }[]
}

const NUMBER_BYTES = 4
const PAGE_BYTES = 4096
/** WebAssembly's memory has a whole number of them. */
const MEMORY_UNIT = 65_536

/** @param image - the bytes of its file. @default that of this release */
export async function readBaseImage(image?: Uint8Array): Promise<BaseImage> {
  const bytes = await decompress(image ?? (await readFile(fileURLToPath(import.meta.resolve('#image')))))
  const [count = 0, stackPointer = 0, runtimePtr = 0, contextPtr = 0, memoryBytes = 0] = readNumbers(bytes, 5)
  const numbers = readNumbers(bytes.subarray(5 * NUMBER_BYTES), count)
  const start = (5 + count) * NUMBER_BYTES
  const pages = numbers.map((number, index) => {
    const from = start + index * PAGE_BYTES
    return { at: number * PAGE_BYTES, content: bytes.subarray(from, from + PAGE_BYTES) }
  })
  return { stackPointer, runtimePtr, contextPtr, memoryBytes, pages }
}

const readNumbers = (bytes: Buffer, count: number): number[] =>
  Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * NUMBER_BYTES))

/** A tenth of the time of the default level, for a few more bytes. */
const QUALITY = 5
/** What a VM has beside the memory that its script allocates, with the gaps in it. */
const OVERHEAD_BYTES = 40 * 2 ** 20

/**
 * Returns a script that was interrupted as bytes: what differs in the memory of its VM, with the client and its calls. The host keeps them
 * without reading them. Only a script host reads them again, with the limits of any script.
 *
 * @param image - its memory is changed
 * @param base - the memory that each VM begins with
 */
export async function writeSnapshot(image: VmImage, base: Uint8Array): Promise<Uint8Array> {
  const { memory, stackPointer, runtimePtr, contextPtr, handles } = image
  exchangeBase(memory, base)
  const head = Uint32Array.of(handles.length, stackPointer, runtimePtr, contextPtr, ...handles)
  const all = Buffer.concat([Buffer.from(head.buffer), memory])
  return compress(all, {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: all.length },
  })
}

/**
 * @param maxMemory - MiB that the script can allocate
 * @throws {BusError} Overloaded if it has more, LoadFailed for what is no snapshot
 */
export async function readSnapshot(snapshot: Uint8Array, base: Uint8Array, maxMemory: number): Promise<VmImage> {
  const maxOutputLength = maxMemory * 2 ** 20 + OVERHEAD_BYTES
  const bytes = await decompress(snapshot, { maxOutputLength }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ERR_BUFFER_TOO_LARGE') throw createUnreadable(cause)
    const text = `The continuation is larger than a script with ${maxMemory} MiB of memory can be. Raise the limit`
    throw new BusError('Overloaded', text, { cause, data: { limit: 'memory', max: maxMemory } })
  })
  const count = bytes.length < NUMBER_BYTES ? 0 : bytes.readUInt32LE()
  const start = (4 + count) * NUMBER_BYTES
  const memory = bytes.subarray(start)
  if (memory.length < base.length || memory.length % MEMORY_UNIT !== 0) throw createUnreadable()
  const [, stackPointer = 0, runtimePtr = 0, contextPtr = 0, ...handles] = readNumbers(bytes, 4 + count)
  exchangeBase(memory, base)
  return { memory, stackPointer, runtimePtr, contextPtr, handles }
}

const createUnreadable = (cause?: unknown): BusError =>
  new BusError('LoadFailed', 'The continuation was refused: its state cannot be read', { cause })

const NOTHING = new Uint8Array(PAGE_BYTES)

/**
 * Turns a memory into what differs from the base, and that into the memory: a page as in the base is nothing, and in others the bits that
 * differ are set. Most pages are one of both, and comparing bytes is what Node does fastest.
 */
function exchangeBase(memory: Uint8Array, base: Uint8Array): void {
  for (let at = 0; at < base.length; at += PAGE_BYTES) {
    const [page, other] = [memory, base].map(bytes => bytes.subarray(at, at + PAGE_BYTES)) as [Uint8Array, Uint8Array]
    if (Buffer.compare(page, other) === 0) page.fill(0)
    else if (Buffer.compare(page, NOTHING) === 0) page.set(other)
    else exchangePage(toWords(page), toWords(other))
  }
}

/** A memory, and a number in front of it, begin at a multiple of four bytes. */
const toWords = ({ buffer, byteOffset, length }: Uint8Array): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length / NUMBER_BYTES)

function exchangePage(page: Uint32Array, other: Uint32Array): void {
  for (let index = 0; index < page.length; index++) page[index]! ^= other[index]!
}
