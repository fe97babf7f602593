// A text file, line by line and undecoded. The reader is a resource, which closes after the last line or when the loop ends.
import { openFile } from '@sallyport/paths/internal'
import type { FileHandle } from 'node:fs/promises'
import { getResource } from '../definition/resources.js'
import type { FsCall, FsHandlers } from './calls.js'
import { addFile, Sequence } from './handles.js'

const CHUNK_BYTES = 64 * 1024
const MAX_LINE_BYTES = 16 * 1024 * 1024

/** How a line feed and a carriage return are written. */
interface Unit {
  readonly lineFeed: Uint8Array
  readonly carriageReturn: Uint8Array
}

const UTF16 = new Map<string, Unit>([
  ['utf-16le', { lineFeed: Buffer.of(10, 0), carriageReturn: Buffer.of(13, 0) }],
  ['utf-16be', { lineFeed: Buffer.of(0, 10), carriageReturn: Buffer.of(0, 13) }],
])
const BYTE: Unit = { lineFeed: Buffer.of(10), carriageReturn: Buffer.of(13) }

class Lines {
  readonly calls: Sequence = new Sequence()
  readonly #handle: FileHandle
  readonly #unit: Unit
  readonly #release: () => void
  /** Bytes after the last line. */
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of `#rest` that have no line feed. */
  #searched = 0
  #isAtEnd = false

  constructor(handle: FileHandle, unit: Unit, release: () => void) {
    this.#handle = handle
    this.#unit = unit
    this.#release = release
  }

  /** Returns the next line without its end, or `undefined` after the last. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#findLineFeed()
      if (end >= 0) return this.#take(end, end + this.#unit.lineFeed.length)
      if (this.#isAtEnd)
        return this.#rest.length > 0 ? this.#take(this.#rest.length, this.#rest.length, false) : undefined
      if (this.#rest.length > MAX_LINE_BYTES) {
        throw `The line was refused: it has more than ${MAX_LINE_BYTES} bytes. Read the file with "open".`
      }
      // A long line is read in chunks of its length, so that few bytes are copied often.
      const chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, this.#rest.length))
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, null)
      this.#isAtEnd = bytesRead === 0
      this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)])
    }
  }

  #findLineFeed(): number {
    const { lineFeed } = this.#unit
    for (let from = this.#searched; ;) {
      const at = this.#rest.indexOf(lineFeed, from)
      // A unit of two bytes begins at an even offset.
      if (at >= 0 && at % lineFeed.length !== 0) {
        from = at + 1
        continue
      }
      if (at < 0) this.#searched = Math.max(0, this.#rest.length - lineFeed.length + 1)
      return at
    }
  }

  #take(end: number, next: number, hasLineFeed = true): Buffer {
    const line = this.#rest.subarray(0, end)
    this.#rest = this.#rest.subarray(next)
    this.#searched = 0
    const { carriageReturn } = this.#unit
    const isCut = hasLineFeed && line.subarray(-carriageReturn.length).equals(carriageReturn)
    return isCut ? line.subarray(0, -carriageReturn.length) : line
  }

  async close(): Promise<void> {
    this.#release()
    await this.#handle.close()
  }
}

function openLines(call: FsCall): Promise<number> {
  const { encoding } = call.options
  const unit = (typeof encoding === 'string' && UTF16.get(encoding.toLowerCase())) || BYTE
  return addFile(
    call,
    'failed to open file at path',
    ({ path }) => openFile(path, {}),
    (handle, release) => new Lines(handle, unit, release),
  )
}

/** Returns a line and the byte 0, or only the byte 1 after the last line. Tauri's package forgets the reader at an error. */
async function readLine(call: FsCall): Promise<Uint8Array> {
  const { resources } = call.ctx
  const rid = call.args['rid'] as number
  const lines = getResource(call.args, call.ctx, Lines)
  let line: Buffer | undefined
  try {
    line = await call.rejecting('failed to read line from file with error: ', [], () =>
      lines.calls.run(() => lines.next()),
    )
  } finally {
    if (!line && resources.has(rid)) await resources.close(rid)
  }
  return line ? new Uint8Array(Buffer.concat([line, Buffer.of(0)])) : Uint8Array.of(1)
}

export const lines: FsHandlers = { read_text_file_lines: openLines, read_text_file_lines_next: readLine }
