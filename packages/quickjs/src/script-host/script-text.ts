// The text of a frontend's script, for each engine: from a file, a data: URL, or the host.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isTypeScriptName, stripTypes } from '@sallyport/protocol/internal/util'

/** Limit of a script in UTF-16 code units. */
const MAX_SCRIPT_LENGTH: number = 16 * 2 ** 20

export interface ScriptText {
  /** The script's name in stacks, which contain no path. */
  readonly name: string
  /** The script's name in error texts: a path, or `data:…`. */
  readonly place: string
  readonly text: string
}

/** @param content - the content of its file, if this thread must not read the file @throws {BusError} LoadFailed */
export async function readScriptText(url: string, module?: ModuleText, content?: string): Promise<ScriptText> {
  const isFile = url.startsWith('file:')
  const place = module?.name ?? (isFile ? fileURLToPath(url) : 'data:…')
  const text = module?.text ?? (content ?? (await read(url, place))).replace(/^\uFEFF/, '').replace(/^#!/, '//')
  if (text.length > MAX_SCRIPT_LENGTH) {
    throw createScriptError(place, `it is longer than ${MAX_SCRIPT_LENGTH} characters`)
  }
  return { name: module?.name ?? (isFile ? basename(place) : 'inline'), place, text }
}

/**
 * Returns the code of a script, without types if its name is that of TypeScript.
 *
 * @param isBody - whether it is the body of an async function
 * @throws {BusError} LoadFailed for code whose types cannot be removed
 */
export function toJavaScript(name: string, place: string, text: string, isBody: boolean): string {
  if (!isTypeScriptName(name)) return text
  const stripped = stripTypes(text, isBody)
  if (!stripped.mistake) return stripped.code
  const { position, message } = stripped.mistake
  throw createScriptError(`${place}${position}`, `it is not TypeScript that can run: ${message}`)
}

export const createScriptError = (place: string, problem: string): BusError =>
  new BusError('LoadFailed', `Frontend script ${place}: ${problem}`)

async function read(url: string, place: string): Promise<string> {
  if (url.startsWith('file:')) {
    return readFile(new URL(url), 'utf8').catch((cause: Error) => {
      throw createScriptError(place, `it cannot be read: ${cause.message}`)
    })
  }
  const found = /^data:[^,]*?(;base64)?,([^#]*)/.exec(url)
  if (!found) throw createScriptError(place, 'it must be a file: or data: URL')
  const [, base64, data = ''] = found
  return base64 === undefined ? decodeURIComponent(data) : Buffer.from(decodeURIComponent(data), 'base64').toString()
}
