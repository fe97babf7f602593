// Open files: resources of the frontend that opened them. The frontend closes them, or its disconnection does.
import { transfer } from '@sallyport/core'
import type { FileHandle } from 'node:fs/promises'
import { type OpenOptions, openFile } from '../io/safe-open.js'
import type { FsCall, FsHandlers, RawOptions, RawArguments } from './calls.js'
import { writeAll } from './entries.js'
import { type FileInfo, toFileInfo } from './info.js'

/** The most bytes of one `read`. A call for more returns fewer, as Tauri's package expects. */
const MAX_READ_BYTES = 4 * 1024 * 1024

/** Runs the calls of one resource sequentially. */
export class Sequence {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(next: () => Promise<T>): Promise<T> {
    const result = this.#last.then(next, next)
    this.#last = result
    return result
  }
}

/** Node's handles have no position that can be set, so this class keeps it. */
class OpenFile {
  readonly handle: FileHandle
  readonly calls: Sequence = new Sequence()
  readonly appends: boolean
  position = 0
  readonly #release: () => void

  constructor(handle: FileHandle, appends: boolean, release: () => void) {
    this.handle = handle
    this.appends = appends
    this.#release = release
  }

  async close(): Promise<void> {
    this.#release()
    await this.handle.close()
  }
}

function toOpenOptions(options: RawOptions, call: FsCall): Required<OpenOptions> {
  return {
    read: call.boolean(options, 'read', true),
    write: call.boolean(options, 'write', false),
    append: call.boolean(options, 'append', false),
    truncate: call.boolean(options, 'truncate', false),
    create: call.boolean(options, 'create', false),
    createNew: call.boolean(options, 'createNew', false),
    mode: call.mode(options, 0o666),
  }
}

async function openAt(path: unknown, raw: RawOptions, options: OpenOptions, call: FsCall): Promise<number> {
  const { append = false, write, truncate, create, createNew } = options
  const isWriter = [append, write, truncate, create, createNew].includes(true)
  const release = call.state.files.acquire(call.ctx.label)
  try {
    const failed = 'failed to open file at path'
    const handle = await call.withPath(
      failed,
      path,
      raw['baseDir'],
      located => {
        if (isWriter) call.requireWritable(located)
        return openFile(located.path, options)
      },
      { exclusive: create || createNew || false },
    )
    return call.ctx.resources.add(new OpenFile(handle, append, release))
  } catch (error) {
    release()
    throw error
  }
}

const open = async ({ path, options: raw }: RawArguments, call: FsCall): Promise<number> => {
  const options = call.options(raw)
  return openAt(path, options, toOpenOptions(options, call), call)
}

const create = async ({ path, options: raw }: RawArguments, call: FsCall): Promise<number> => {
  const options = call.options(raw)
  const release = call.state.files.acquire(call.ctx.label)
  try {
    const handle = await call.withPath(
      'failed to create file at path',
      path,
      options['baseDir'],
      located => openFile(located.path, { read: false, write: true, create: true, truncate: true }),
      { exclusive: true },
    )
    return call.ctx.resources.add(new OpenFile(handle, false, release))
  } catch (error) {
    release()
    throw error
  }
}

/** Uses an open file when its earlier calls have ended. */
async function withFile<T>(
  rid: unknown,
  failed: string,
  call: FsCall,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = call.ctx.resources.get(rid as number, OpenFile)
  try {
    return await file.calls.run(() => use(file))
  } catch (error) {
    throw call.toRejection(error, `${failed} with error: `)
  }
}

/** Returns the bytes, and their number as eight bytes. */
const read = async ({ rid, len }: RawArguments, call: FsCall): Promise<Uint8Array> => {
  const size = Math.min(call.integer(len, 'len'), MAX_READ_BYTES)
  // Tauri's spelling.
  return withFile(rid, 'faied to read bytes from file', call, async file => {
    const buffer = new Uint8Array(size + 8)
    const { bytesRead } = await file.handle.read(buffer, 0, size, file.position)
    file.position += bytesRead
    const answer = bytesRead === size ? buffer : buffer.slice(0, bytesRead + 8)
    new DataView(answer.buffer).setBigUint64(bytesRead, BigInt(bytesRead))
    return transfer(answer)
  })
}

/** Writes all bytes, because Tauri's package ignores the count when it writes a stream. */
const write = async ({ rid, data }: RawArguments, call: FsCall): Promise<number> => {
  const bytes = toBytes(data)
  if (!bytes) throw call.invalid('data', 'invalid type: expected bytes')
  return withFile(rid, 'failed to write bytes to file', call, async file => {
    const { position } = file
    if (position + bytes.length > Number.MAX_SAFE_INTEGER) throw 'invalid position: the file would be too large'
    await writeAll(file.handle, bytes, file.appends ? null : position)
    file.position = file.appends ? (await file.handle.stat()).size : position + bytes.length
    return bytes.length
  })
}

/** Returns bytes from what the package sends: an array of numbers, or bytes. */
export function toBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (!Array.isArray(data)) return undefined
  const bytes = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) {
    const value: unknown = data[at]
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 255) return undefined
    bytes[at] = value as number
  }
  return bytes
}

/** `whence`: 0 the start, 1 the position, 2 the end. */
const seek = async ({ rid, offset, whence }: RawArguments, call: FsCall): Promise<number> => {
  const by = call.integer(offset, 'offset', Number.MIN_SAFE_INTEGER)
  const origin = call.integer(whence, 'whence', 0, 2)
  return withFile(rid, 'failed to seek file', call, async file => {
    const from = origin === 0 ? 0 : origin === 1 ? file.position : (await file.handle.stat()).size
    const position = from + by
    if (!Number.isSafeInteger(position) || position < 0) {
      throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' })
    }
    return (file.position = position)
  })
}

const fstat = async ({ rid }: RawArguments, call: FsCall): Promise<FileInfo> =>
  withFile(rid, 'failed to get metadata of file', call, async ({ handle }) => toFileInfo(await handle.stat()))

const ftruncate = async ({ rid, len }: RawArguments, call: FsCall): Promise<void> => {
  const length = call.integer(len ?? 0, 'len')
  return withFile(rid, 'failed to truncate file', call, ({ handle }) => handle.truncate(length))
}

/** For older versions of the package. */
const close = ({ rid }: RawArguments, { ctx }: FsCall): Promise<void> => {
  ctx.resources.get(rid as number, OpenFile)
  return ctx.resources.close(rid as number)
}

export const handles: FsHandlers = { open, create, close, read, write, seek, fstat, ftruncate }
