// Watches files and directories. Events are sent on a channel, and the watcher is a resource.
import type { Channel } from '@sallyport/core'
import { PathChangedError, withDirectory, withEntry } from '@sallyport/paths/internal'
import { type FSWatcher, type Stats, watch as watchPath } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { later } from '@sallyport/paths/internal'
import { addResource, getResource, isChannel, MAX_DELAY_MS } from '../shared/plugin.js'
import type { FsCall, FsHandlers } from './calls.js'
import { readEntries } from './entries.js'

type EventType = 'other' | { create: { kind: EntryKind } } | { modify: { kind: 'any' } } | { remove: { kind: 'any' } }
type EntryKind = 'file' | 'folder' | 'other'

/** An event of Tauri's plugin. */
export interface WatchEvent {
  type: EventType
  paths: string[]
  attrs: object
}

/** The most paths with events that are not sent yet. After more, one event asks the frontend to read everything again. */
const MAX_PENDING = 10_000
const MAX_PATHS = 64
/** A path that changes without a pause is reported after this many delays. */
const MAX_DELAYS = 10

interface WatcherDeps {
  readonly channel: Channel<WatchEvent>
  readonly recursive: boolean
  readonly delayMs: number | undefined
  readonly includes: (path: string) => boolean
  /** Returns a path as the frontend can write it. */
  readonly toShown: (path: string) => string
  /** Throws above the limit of directories. */
  readonly acquire: () => () => void
  readonly released: () => void
}

interface Delayed {
  type: EventType
  readonly first: number
  due: number
}

class Watcher {
  readonly #deps: WatcherDeps
  readonly #watched = new Map<string, { watcher: FSWatcher; release: () => void }>()
  /** Kinds of Node's events by path, in their order. */
  readonly #changed = new Map<string, 'rename' | 'change'>()
  readonly #delayed = new Map<string, Delayed>()
  #hasOverflowed = false
  #isReading = false
  #isClosed = false
  #endWait: (() => void) | undefined

  constructor(deps: WatcherDeps) {
    this.#deps = deps
  }

  /** Watches a path, and with `recursive` all directories below it. Links are not followed. */
  async add(path: string): Promise<void> {
    const isOwnRecursion = this.#deps.recursive && process.platform === 'linux'
    for (const pending = [path]; pending.length > 0 && !this.#isClosed;) {
      const next = pending.pop()!
      try {
        const isDirectory = await this.#watch(next)
        if (!isDirectory || !isOwnRecursion) continue
        for (const entry of await withDirectory(next, at => readEntries(at(''))))
          if (entry.isDirectory()) pending.push(join(next, entry.name))
      } catch (error) {
        // The directory above is watched already, and reports what is moved or removed meanwhile.
        if (next === path || !isGone(error)) throw error
        this.#forget(next)
      }
    }
  }

  async #watch(path: string): Promise<boolean> {
    if (this.#watched.has(path)) return true
    const release = this.#deps.acquire()
    try {
      const isNative = this.#deps.recursive && process.platform !== 'linux'
      return await withEntry(path, (entry, isDirectory) => {
        // The name of an event of the directory itself is then a dot, not the number of a descriptor.
        const target = isDirectory && entry !== path ? `${entry}/.` : entry
        const watcher = watchPath(target, { persistent: false, recursive: isNative && isDirectory })
        watcher.on('change', (kind, name) => {
          const isOwn = !isDirectory || name === null || name === '.'
          this.#onChange(kind as 'rename' | 'change', isOwn ? path : join(path, String(name)))
        })
        // Errors after the start are dropped, as in Tauri.
        watcher.on('error', () => undefined)
        if (this.#isClosed) {
          watcher.close()
          release()
        } else this.#watched.set(path, { watcher, release })
        return isDirectory
      })
    } catch (error) {
      release()
      throw error
    }
  }

  #onChange(kind: 'rename' | 'change', path: string): void {
    if (this.#isClosed || !this.#deps.includes(path)) return
    if (this.#changed.size >= MAX_PENDING && !this.#changed.has(path)) this.#hasOverflowed = true
    else if (this.#changed.get(path) !== 'rename') this.#changed.set(path, kind)
    if (!this.#isReading) void this.#read().catch(() => this.close())
  }

  /** Reports changes one by one: while the frontend is behind, further changes of a path are combined. */
  async #read(): Promise<void> {
    this.#isReading = true
    try {
      while (!this.#isClosed) {
        const next = this.#next()
        if (next) {
          const [path, kind] = next
          const stats = await lstat(path).catch(() => undefined)
          await this.#report(path, toEventType(kind, stats))
          if (this.#deps.recursive && kind === 'rename') await this.#follow(path, stats)
        } else if (this.#hasOverflowed) {
          this.#hasOverflowed = false
          await this.#deps.channel.send({ type: 'other', paths: [], attrs: { flag: 'rescan' } })
        } else return
      }
    } finally {
      this.#isReading = false
    }
  }

  #next(): [string, 'rename' | 'change'] | undefined {
    const next = this.#changed.entries().next().value
    if (next) this.#changed.delete(next[0])
    return next
  }

  /** Watches a directory that appeared, with entries that were created before, and forgets one that vanished. */
  async #follow(path: string, stats: Stats | undefined): Promise<void> {
    if (process.platform !== 'linux') return
    if (!stats?.isDirectory()) {
      for (const watched of this.#watched.keys()) if (watched.startsWith(path + sep)) this.#forget(watched)
      if (!stats) this.#forget(path)
      return
    }
    const entries = await this.#watch(path).then(
      () => withDirectory(path, at => readEntries(at(''))),
      () => [],
    )
    for (const entry of entries.slice(0, MAX_PENDING)) this.#onChange('rename', join(path, entry.name))
  }

  #forget(path: string): void {
    const watched = this.#watched.get(path)
    this.#watched.delete(path)
    watched?.watcher.close()
    watched?.release()
  }

  async #report(path: string, type: EventType): Promise<void> {
    const { delayMs } = this.#deps
    if (delayMs === undefined) return this.#send(path, type)
    const now = Date.now()
    const before = this.#delayed.get(path)
    if (!before && this.#delayed.size >= MAX_PENDING) {
      this.#hasOverflowed = true
      return
    }
    const first = before?.first ?? now
    const isNew = before !== undefined && typeof before.type === 'object' && 'create' in before.type
    const isModified = typeof type === 'object' && 'modify' in type
    this.#delayed.delete(path)
    const due = Math.min(now + delayMs, first + MAX_DELAYS * delayMs)
    this.#delayed.set(path, { type: isNew && isModified ? before.type : type, first, due })
    this.#endWait ??= this.#flushLater(delayMs)
  }

  async #flush(): Promise<void> {
    const now = Date.now()
    for (const [path, { type, due }] of this.#delayed) {
      if (due > now) continue
      this.#delayed.delete(path)
      await this.#send(path, type)
    }
    this.#endWait = undefined
    if (this.#delayed.size === 0 || this.#isClosed) return
    const next = Math.min(...Array.from(this.#delayed.values(), ({ due }) => due))
    this.#endWait = this.#flushLater(Math.max(1, next - now))
  }

  #flushLater(ms: number): () => void {
    return later(ms, () => void this.#flush().catch(() => this.close()))
  }

  async #send(path: string, type: EventType): Promise<void> {
    if (!this.#isClosed) await this.#deps.channel.send({ type, paths: [this.#deps.toShown(path)], attrs: {} })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const path of this.#watched.keys()) this.#forget(path)
    this.#endWait?.()
    this.#changed.clear()
    this.#delayed.clear()
    this.#deps.channel.end()
    this.#deps.released()
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof PathChangedError || ['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))

function toEventType(kind: 'rename' | 'change', stats: Stats | undefined): EventType {
  if (!stats) return { remove: { kind: 'any' } }
  if (kind === 'change') return { modify: { kind: 'any' } }
  return { create: { kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other' } }
}

async function watch(call: FsCall): Promise<number> {
  const { ctx, state } = call
  const { paths, onEvent } = call.args
  const delay = call.options['delayMs'] ?? undefined
  if (!isChannel<WatchEvent>(onEvent)) throw call.invalid('onEvent', 'invalid type: expected a channel')
  if (!Array.isArray(paths) || paths.length === 0 || paths.length > MAX_PATHS) {
    throw call.invalid('paths', `invalid value: expected 1 to ${MAX_PATHS} paths`)
  }
  const watcher = new Watcher({
    channel: onEvent,
    recursive: call.boolean('recursive'),
    delayMs: delay === undefined ? undefined : Math.min(call.integer(delay, 'delayMs'), MAX_DELAY_MS),
    includes: path => call.isPermitted(path),
    toShown: path => call.toShown(path),
    acquire: () => state.watchedDirectories.acquire(ctx.label),
    released: state.watchers.acquire(ctx.label),
  })
  try {
    for (const path of paths as unknown[]) {
      await call.withPath('failed to watch path', located => watcher.add(located.path), { path })
    }
  } catch (error) {
    watcher.close()
    throw error
  }
  const rid = addResource(ctx.resources, watcher)
  const end = (): void => {
    if (ctx.resources.has(rid)) void ctx.resources.close(rid).catch(() => undefined)
  }
  onEvent.signal.addEventListener('abort', end, { once: true })
  if (onEvent.signal.aborted) end()
  return rid
}

/** For older versions of the package. */
const unwatch = ({ args, ctx }: FsCall): Promise<void> => {
  getResource(args, ctx, Watcher)
  return ctx.resources.close(args['rid'] as number)
}

export const watching: FsHandlers = { watch, unwatch }
