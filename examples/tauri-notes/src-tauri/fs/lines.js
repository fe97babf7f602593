// @ts-check
// A text file, line by line. The iterator is a resource, which is closed after the last line or when the loop is left.
import { open } from 'node:fs/promises'
import { allowedPath } from './paths.js'

/** @typedef {import('./paths.js').Context} Context */

class Lines {
  /** @param {import('node:fs/promises').FileHandle} handle */
  constructor(handle) {
    this.handle = handle
    this.iterator = handle.readLines()[Symbol.asyncIterator]()
  }

  async close() {
    await this.iterator.return?.()
    await this.handle.close()
  }
}

/** The last byte is 1 after the last line. @param {string} line @param {boolean} done */
const encode = (line, done) => Buffer.concat([Buffer.from(line), Buffer.of(done ? 1 : 0)])

export const lines = {
  /** @param {{ path: string, options?: import('./paths.js').PathOptions }} args @param {Context} ctx */
  async read_text_file_lines({ path, options }, ctx) {
    return ctx.resources.add(new Lines(await open(await allowedPath(path, options, ctx))))
  },

  /** @param {{ rid: number }} args @param {Context} ctx */
  async read_text_file_lines_next({ rid }, { resources }) {
    const { value, done = false } = await resources.get(rid, Lines).iterator.next()
    if (done) await resources.close(rid)
    return encode(value ?? '', done)
  },
}
