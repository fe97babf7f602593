// Whole files, as raw bytes. The body of a write is the file, and its path is in the headers.
import { transfer } from '@sallyport/core'
import { type OpenedFile, openFile, openToRead } from '@sallyport/paths/internal'
import { type Args, toBytes } from '../definition/args.js'
import type { FsCall, FsHandlers, LocateOptions } from './calls.js'
import { writeAll } from './entries.js'

/** Files with more bytes are read one after another. */
const LARGE_BYTES = 1024 * 1024
const READ_FAILED = 'failed to read file as text at path'

const read = (call: FsCall): Promise<Uint8Array> =>
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

/** Reads as many bytes as the file has now: one that grows meanwhile has no end. */
async function readWhole({ handle, size }: OpenedFile, { ctx, state }: FsCall): Promise<Uint8Array> {
  if (size > state.maxFileBytes) {
    throw `The file was refused: it has ${size} bytes, and at most ${state.maxFileBytes} are read at once. Read it with "open".`
  }
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    ctx.signal.throwIfAborted()
    const { bytesRead } = await handle.read(bytes, length, size - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return transfer(length === size ? bytes : bytes.slice(0, length))
}

async function write(call: FsCall): Promise<void> {
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
    return Object(JSON.parse(header ?? '{}')) as Args
  } catch {
    return {}
  }
}

export const wholeFiles: FsHandlers = {
  read_file: read,
  read_text_file: read,
  write_file: write,
  write_text_file: write,
}
