// @ts-check
// Watches files. Events are sent on a channel, and the watcher is a resource.
import { existsSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { allowedPath } from './paths.js'

/** @typedef {import('./paths.js').Context} Context */

/**
 * @typedef {{ type: object, paths: string[], attrs: object }} WatchEvent
 * @typedef {import('@sallyport/core').Channel<WatchEvent>} WatchChannel
 */

class Watcher {
  /** @type {import('node:fs').FSWatcher[]} */
  watchers = []
  /** @type {Map<string, NodeJS.Timeout>} */
  delayed = new Map()

  /** @param {WatchChannel} channel @param {number | undefined} delayMs events of one path within this time are combined */
  constructor(channel, delayMs) {
    this.channel = channel
    this.delayMs = delayMs
  }

  /** @param {string} path @param {boolean} recursive */
  async add(path, recursive) {
    const directory = (await stat(path)).isDirectory() ? path : dirname(path)
    this.watchers.push(
      watch(path, { recursive }, (type, name) => this.changed(type, name === null ? path : join(directory, name))),
    )
  }

  /** @param {string} type @param {string} path */
  changed(type, path) {
    if (this.delayMs === undefined) return this.send(type, path)
    clearTimeout(this.delayed.get(path))
    this.delayed.set(
      path,
      setTimeout(() => {
        this.delayed.delete(path)
        this.send(type, path)
      }, this.delayMs),
    )
  }

  /** @param {string} type @param {string} path */
  send(type, path) {
    const there = existsSync(path)
    const kind = there
      ? type === 'rename'
        ? { create: { kind: 'any' } }
        : { modify: { kind: 'any' } }
      : { remove: { kind: 'any' } }
    void this.channel.send({ type: kind, paths: [path], attrs: {} }).catch(() => this.close())
  }

  close() {
    for (const watcher of this.watchers.splice(0)) watcher.close()
    for (const timer of this.delayed.values()) clearTimeout(timer)
    this.delayed.clear()
    this.channel.end()
  }
}

export const watching = {
  /**
   * @param {{ paths: string[], options?: import('./paths.js').PathOptions & { recursive?: boolean, delayMs?: number },
   *   onEvent: WatchChannel }} args
   * @param {Context} ctx
   */
  async watch({ paths, options, onEvent }, ctx) {
    const watcher = new Watcher(onEvent, options?.delayMs)
    try {
      for (const path of paths) await watcher.add(await allowedPath(path, options, ctx), options?.recursive ?? false)
    } catch (error) {
      watcher.close()
      throw error
    }
    return ctx.resources.add(watcher)
  },

  /** For older versions of the package. @param {{ rid: number }} args @param {Context} ctx */
  unwatch: ({ rid }, { resources }) => resources.close(rid),
}
