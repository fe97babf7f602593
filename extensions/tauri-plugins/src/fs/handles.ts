// Open files: resources of the frontend that opened them. The frontend closes them, or its disconnection does.
import { transfer } from '@sallyport/core'
import { createIoError, openFile } from '@sallyport/paths/internal'
import type { FileHandle } from 'node:fs/promises'
import { isInteger, toBytes } from '../definition/args.js'
import { addResource, getResource } from '../definition/resources.js'
import type { FsCall, FsHandlers, Located } from './calls.js'
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

/** Opens a file as a resource of the caller, and counts it until it is closed. */
export async function addFile<T extends { close(): Promise<void> }>(
  call: FsCall,
  failed: string,
  open: (located: Located) => Promise<FileHandle>,
  create: (handle: FileHandle, release: () => void) => T,
  exclusive = false,
): Promise<number> {
  const release = call.state.files.acquire(call.ctx.label)
  try {
    return addResource(call.ctx.resources, create(await call.withPath(failed, open, { exclusive }), release))
  } catch (error) {
    release()
    throw error
  }
}

function open(call: FsCall): Promise<number> {
  const [append, write, truncate] = [call.boolean('append'), call.boolean('write'), call.boolean('truncate')]
  const [makes, makesNew] = [call.boolean('create'), call.boolean('createNew')]
  const options = { read: call.boolean('read', true), append, write, truncate, create: makes, createNew: makesNew }
  const mode = call.mode(0o666)
  return addFile(
    call,
    'failed to open file at path',
    located => {
      if (append || write || truncate || makes || makesNew) call.requireWritable(located)
      return openFile(located.path, { ...options, mode })
    },
    (handle, release) => new OpenFile(handle, append, release),
    makes || makesNew,
  )
}

const create = (call: FsCall): Promise<number> =>
  addFile(
    call,
    'failed to create file at path',
    ({ path }) => openFile(path, { read: false, write: true, create: true, truncate: true }),
    (handle, release) => new OpenFile(handle, false, release),
    true,
  )

/** Uses an open file when its earlier calls have ended. */
async function withFile<T>(call: FsCall, failed: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = getResource(call.args, call.ctx, OpenFile)
  return call.rejecting(`${failed} with error: `, [], () => file.calls.run(() => use(file)))
}

/** Returns the bytes, and their number as eight bytes. */
const read = async (call: FsCall): Promise<Uint8Array> => {
  const size = Math.min(call.integer(call.args['len'], 'len'), MAX_READ_BYTES)
  // Tauri's spelling.
  return withFile(call, 'faied to read bytes from file', async file => {
    const buffer = new Uint8Array(size + 8)
    const { bytesRead } = await file.handle.read(buffer, 0, size, file.position)
    file.position += bytesRead
    const answer = bytesRead === size ? buffer : buffer.slice(0, bytesRead + 8)
    new DataView(answer.buffer).setBigUint64(bytesRead, BigInt(bytesRead))
    return transfer(answer)
  })
}

/** Writes all bytes, because Tauri's package ignores the count when it writes a stream. */
const write = async (call: FsCall): Promise<number> => {
  const bytes = toBytes(call.args['data'])
  if (!bytes) throw call.invalid('data', 'invalid type: expected bytes')
  return withFile(call, 'failed to write bytes to file', async file => {
    const { position } = file
    if (position + bytes.length > Number.MAX_SAFE_INTEGER) throw 'invalid position: the file would be too large'
    await writeAll(file.handle, bytes, file.appends ? null : position)
    file.position = file.appends ? (await file.handle.stat()).size : position + bytes.length
    return bytes.length
  })
}

/** `whence`: 0 the start, 1 the position, 2 the end. */
const seek = async (call: FsCall): Promise<number> => {
  const by = call.integer(call.args['offset'], 'offset', Number.MIN_SAFE_INTEGER)
  const origin = call.integer(call.args['whence'], 'whence', 0, 2)
  return withFile(call, 'failed to seek file', async file => {
    const from = origin === 0 ? 0 : origin === 1 ? file.position : (await file.handle.stat()).size
    const position = from + by
    if (!isInteger(position, 0)) throw createIoError('EINVAL')
    return (file.position = position)
  })
}

const fstat = (call: FsCall): Promise<FileInfo> =>
  withFile(call, 'failed to get metadata of file', async ({ handle }) => toFileInfo(await handle.stat()))

const ftruncate = async (call: FsCall): Promise<void> => {
  const length = call.integer(call.args['len'] ?? 0, 'len')
  return withFile(call, 'failed to truncate file', ({ handle }) => handle.truncate(length))
}

/** For older versions of the package. */
const close = ({ args, ctx }: FsCall): Promise<void> => {
  getResource(args, ctx, OpenFile)
  return ctx.resources.close(args['rid'] as number)
}

export const handles: FsHandlers = { open, create, close, read, write, seek, fstat, ftruncate }
