// @ts-check
// Whole files, as raw bytes. The body of a write is the file, and its path is in the headers.
import { transfer } from '@sallyport/core'
import { readFile, writeFile } from 'node:fs/promises'
import { allowedPath } from './paths.js'

/**
 * @typedef {import('./paths.js').Context} Context
 * @typedef {import('./paths.js').PathOptions} PathOptions
 * @typedef {PathOptions & { append?: boolean, create?: boolean, createNew?: boolean, mode?: number }} WriteOptions
 */

/** @param {{ path: string, options?: PathOptions }} args @param {Context} ctx */
async function read({ path, options }, ctx) {
  const bytes = await readFile(await allowedPath(path, options, ctx))
  return bytes.buffer.byteLength === bytes.byteLength ? transfer(bytes) : bytes
}

/** @param {Uint8Array} body @param {Context} ctx */
async function write(body, ctx) {
  const { path, options: given } = ctx.request.headers
  if (!(body instanceof Uint8Array)) throw 'unexpected invoke body'
  if (path === undefined) throw 'missing file path'
  const options = writeOptions(given)
  await writeFile(await allowedPath(decodeURIComponent(path), options, ctx), body, {
    flag: flagOf(options),
    mode: options.mode ?? 0o666,
  })
}

/** Without options, the package sends the string "undefined". @param {string | undefined} given @returns {WriteOptions} */
const writeOptions = given => (given === undefined || given === 'undefined' ? {} : JSON.parse(given))

/** @param {WriteOptions} options */
function flagOf({ append = false, create = true, createNew = false }) {
  if (createNew) return append ? 'ax' : 'wx'
  if (append) return 'a'
  return create ? 'w' : 'r+'
}

export const wholeFiles = { read_file: read, read_text_file: read, write_file: write, write_text_file: write }
