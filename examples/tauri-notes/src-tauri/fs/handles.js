// @ts-check
// Open files: resources of the frontend that opened them. They are closed by it, or when it disconnects.
import { constants, open as openFile } from 'node:fs/promises'
import { transfer } from '@sallyport/core'
import { fileInfo } from './info.js'
import { allowedPath } from './paths.js'

/**
 * @typedef {import('./paths.js').Context} Context
 * @typedef {import('./paths.js').PathOptions} PathOptions
 * @typedef {PathOptions & { read?: boolean, write?: boolean, append?: boolean, truncate?: boolean, create?: boolean,
 *   createNew?: boolean, mode?: number }} OpenOptions
 */

/** Node's handles have no position that can be set, so this class keeps it. */
class OpenFile {
  position = 0

  /** @param {import('node:fs/promises').FileHandle} handle @param {boolean} appends */
  constructor(handle, appends) {
    this.handle = handle
    this.appends = appends
  }

  async close() {
    await this.handle.close()
  }
}

/** Bytes. A call for more returns fewer, which the package accepts. */
const MAX_READ = 4 * 1024 * 1024

/** The permission `write-all` adds this entry to the scope of `open`. @param {Context} ctx */
const mayWrite = ({ scope }) => scope.allow.some(entry => Object(entry).write === true)

/** @param {string} path @param {OpenOptions | null | undefined} options @param {Context} ctx */
async function openAt(path, options, ctx) {
  const {
    read = true,
    write = false,
    append = false,
    truncate = false,
    create = false,
    createNew = false,
  } = options ?? {}
  const writes = write || append
  const access = writes ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY
  const flags =
    access |
    (append ? constants.O_APPEND : 0) |
    (truncate ? constants.O_TRUNC : 0) |
    (create || createNew ? constants.O_CREAT : 0) |
    (createNew ? constants.O_EXCL : 0)
  const handle = await openFile(await allowedPath(path, options, ctx), flags, options?.mode ?? 0o666)
  return ctx.resources.add(new OpenFile(handle, append))
}

/** Appends the number of bytes that were read, as eight bytes. @param {Uint8Array} buffer @param {number} read */
function withCount(buffer, read) {
  new DataView(buffer.buffer).setBigUint64(buffer.length - 8, BigInt(read))
  return transfer(buffer)
}

export const handles = {
  /** @param {{ path: string, options?: OpenOptions }} args @param {Context} ctx */
  async open({ path, options }, ctx) {
    const { write, append, truncate, create, createNew } = options ?? {}
    if ((write || append || truncate || create || createNew) && !mayWrite(ctx))
      throw `forbidden path: ${path}, which can only be opened for writing with the permission fs:write-all`
    return openAt(path, options, ctx)
  },

  /** @param {{ path: string, options?: PathOptions }} args @param {Context} ctx */
  create: ({ path, options }, ctx) => openAt(path, { ...options, write: true, create: true, truncate: true }, ctx),

  /** @param {{ rid: number, len: number }} args @param {Context} ctx */
  async read({ rid, len }, { resources }) {
    const file = resources.get(rid, OpenFile)
    if (!Number.isSafeInteger(len) || len < 0) throw 'invalid length'
    const size = Math.min(len, MAX_READ)
    const buffer = new Uint8Array(size + 8)
    const { bytesRead } = await file.handle.read(buffer, 0, size, file.position)
    file.position += bytesRead
    return withCount(buffer, bytesRead)
  },

  /** @param {{ rid: number, data: number[] }} args @param {Context} ctx */
  async write({ rid, data }, { resources }) {
    const file = resources.get(rid, OpenFile)
    if (!Array.isArray(data)) throw 'invalid data'
    const bytes = Uint8Array.from(data)
    const { bytesWritten } = await file.handle.write(bytes, 0, bytes.length, file.appends ? null : file.position)
    file.position += bytesWritten
    return bytesWritten
  },

  /** @param {{ rid: number, offset: number, whence: number }} args `whence`: 0 the start, 1 the position, 2 the end @param {Context} ctx */
  async seek({ rid, offset, whence }, { resources }) {
    const file = resources.get(rid, OpenFile)
    const from = [0, file.position, whence === 2 ? (await file.handle.stat()).size : 0][whence]
    const position = from === undefined ? -1 : from + offset
    if (!Number.isSafeInteger(position) || position < 0) throw 'invalid seek to a negative or overflowing position'
    return (file.position = position)
  },

  /** @param {{ rid: number }} args @param {Context} ctx */
  fstat: async ({ rid }, { resources }) => fileInfo(await resources.get(rid, OpenFile).handle.stat()),

  /** @param {{ rid: number, len?: number }} args @param {Context} ctx */
  async ftruncate({ rid, len }, { resources }) {
    await resources.get(rid, OpenFile).handle.truncate(len ?? 0)
  },
}
