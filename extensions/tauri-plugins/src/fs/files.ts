// Commands on files, which are opened, read line by line, or read and written whole.
// An open file and a reader of lines are resources of the frontend: it closes them, or its disconnection does.
import type { FileHandle } from 'node:fs/promises'
import { transfer } from '@sallyport/core'
import { createIoError, type OpenedFile, openFile, openToRead } from '@sallyport/paths/internal'
import { readOpened } from '../shared/io.js'
import { addResource, type Args, getResource, isInteger, toBytes } from '../shared/plugin.js'
import type { FsCall, FsHandlers, Located, LocateOptions } from './calls.js'
import { type FileInfo, toFileInfo, writeAll } from './entries.js'

/** The most bytes of one `read`. A call for more returns fewer, as Tauri's package expects. */
const MAX_READ_BYTES = 4 * 1024 * 1024

class Sequence {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(next: () => Promise<T>): Promise<T> {
    const result = this.#last.then(next, next)
    this.#last = result
    return result
  }
}

/** Node's handles have no position that can be set, so this class keeps it. */
class OpenFile {
  readonly calls: Sequence = new Sequence()
  position = 0
  readonly #release: () => void

  constructor(
    readonly handle: FileHandle,
    readonly appends: boolean,
    release: () => void,
  ) {
    this.#release = release
  }

  async close(): Promise<void> {
    this.#release()
    await this.handle.close()
  }
}

async function addFile<T extends { close(): Promise<void> }>(
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

const CHUNK_BYTES = 64 * 1024
const MAX_LINE_BYTES = 16 * 1024 * 1024

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
  #rest: Buffer = Buffer.alloc(0)
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

/** Files with more bytes are read one after another. */
const LARGE_BYTES = 1024 * 1024
const READ_FAILED = 'failed to read file as text at path'

const readWholeFile = (call: FsCall): Promise<Uint8Array> =>
  useFile(call, READ_FAILED, READ_FAILED, openToRead, async opened => {
    const readAll = (): Promise<Uint8Array> => readWhole(opened, call)
    if (opened.size <= LARGE_BYTES) return await readAll()
    return await call.state.largeReads.run(call.ctx.label, call.ctx.signal, readAll)
  })

/** Opens a file, and uses it while other calls can move it. */
async function useFile<T, Opened extends Pick<OpenedFile, 'handle'>>(
  call: FsCall,
  openFailed: string,
  useFailed: string,
  open: (path: string) => Promise<Opened>,
  use: (opened: Opened) => Promise<T>,
  locate?: LocateOptions,
): Promise<T> {
  const [opened, shown] = await call.withPath(
    openFailed,
    async located => [await open(located.path), located.shown] as const,
    locate,
  )
  try {
    return await call.rejecting(`${useFailed}: ${shown} with error: `, [shown], () => use(opened))
  } finally {
    await opened.handle.close()
  }
}

async function readWhole({ handle, size }: OpenedFile, { ctx, state }: FsCall): Promise<Uint8Array> {
  if (size > state.maxFileBytes) {
    throw `The file was refused: it has ${size} bytes, and at most ${state.maxFileBytes} are read at once. Read it with "open".`
  }
  return transfer(await readOpened({ handle, size }, ctx.signal))
}

async function writeWholeFile(call: FsCall): Promise<void> {
  const { path: header, options: rawOptions } = call.ctx.request.headers
  const bytes = toBytes(call.args)
  if (!bytes) throw 'unexpected invoke body'
  if (header === undefined) throw 'missing file path'
  const path = decode(header)
  const options = toOptions(rawOptions)
  const append = call.boolean('append', false, options)
  const [create, createNew] = [call.boolean('create', true, options), call.boolean('createNew', false, options)]
  const mode = call.mode(0o666, options)
  const open = { read: false, write: true, append, truncate: !append }
  await useFile(
    call,
    'failed to open file at path',
    'failed to write bytes to file at path',
    async target => ({ handle: await openFile(target, { ...open, create, createNew, mode }) }),
    ({ handle }) => writeAll(handle, bytes, append ? null : 0),
    { path, options, exclusive: create || createNew },
  )
}

function decode(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    throw 'path is not a valid UTF-8'
  }
}

/** Without options the package sends the string `undefined`. Options that do not parse count as none, as in Tauri. */
function toOptions(header: string | undefined): Args {
  try {
    return Object(JSON.parse(header ?? '{}'))
  } catch {
    return {}
  }
}

export const files: FsHandlers = {
  ...{ open, create, close, read, write, seek, fstat, ftruncate },
  read_text_file_lines: openLines,
  read_text_file_lines_next: readLine,
  read_file: readWholeFile,
  read_text_file: readWholeFile,
  write_file: writeWholeFile,
  write_text_file: writeWholeFile,
}
