// Whole files, as raw bytes. The body of a write is the file, and its path is in the headers.
import { transfer } from '@sallyport/core'
import type { FileHandle } from 'node:fs/promises'
import { openFile } from '../io/safe-open.js'
import type { FsCall, FsHandlers, RawOptions, RawArguments } from './calls.js'
import { writeAll } from './entries.js'
import { toBytes } from './handles.js'

/** Files with more bytes are read one after another. */
const LARGE_BYTES = 1024 * 1024

async function read({ path, options: raw }: RawArguments, call: FsCall): Promise<Uint8Array> {
  const { baseDir } = call.options(raw)
  const failed = 'failed to read file as text at path'
  const [handle, original] = await call.withPath(
    failed,
    path,
    baseDir,
    async located => [await openFile(located.path, {}), located.original] as const,
  )
  try {
    const { size } = await handle.stat()
    const readAll = (): Promise<Uint8Array> => readWhole(handle, size, call)
    if (size <= LARGE_BYTES) return await readAll()
    return await call.state.largeReads.run(call.ctx.label, call.ctx.signal, readAll)
  } catch (error) {
    throw call.toRejection(error, `${failed}: ${original} with error: `, [original])
  } finally {
    await handle.close()
  }
}

/** @param size - bytes that are read: a file that grows meanwhile has no end */
async function readWhole(handle: FileHandle, size: number, { ctx, state }: FsCall): Promise<Uint8Array> {
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

async function write(body: unknown, call: FsCall): Promise<void> {
  const { path: header, options: rawOptions } = call.ctx.request.headers
  const bytes = toBytes(body)
  if (!bytes) throw 'unexpected invoke body'
  if (header === undefined) throw 'missing file path'
  const path = decode(header)
  const options = toOptions(rawOptions)
  const flag = (name: string, byDefault: boolean): boolean => call.boolean(options, name, byDefault)
  const [append, create, createNew] = [flag('append', false), flag('create', true), flag('createNew', false)]
  const failed = 'failed to write bytes to file at path'
  const mode = call.mode(options, 0o666)
  const [handle, original] = await call.withPath(
    'failed to open file at path',
    path,
    options['baseDir'],
    async located => {
      const open = { read: false, write: true, append, truncate: !append, create, createNew, mode }
      return [await openFile(located.path, open), located.original] as const
    },
    { exclusive: create || createNew },
  )
  try {
    await writeAll(handle, bytes, append ? null : 0)
  } catch (error) {
    throw call.toRejection(error, `${failed}: ${original} with error: `, [original])
  } finally {
    await handle.close()
  }
}

function decode(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    throw 'path is not a valid UTF-8'
  }
}

/** Without options the package sends the string `undefined`. Options that do not parse count as none, as in Tauri. */
function toOptions(header: string | undefined): RawOptions {
  try {
    return Object(JSON.parse(header ?? '{}')) as RawOptions
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
