// Tauri's asset protocol: serves files that the scope of the project allows, under the origin of the page.
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isAbsolute } from 'node:path'
import { type AssetScope, isWindows } from './asset-scope.js'
import type { Refusal } from '../http/request-policy.js'
import { getMediaType, sendFile } from './send-file.js'

const MAX_PATH_LENGTH = 4096
/** A FIFO must not block. The flags are missing on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
/** A file of the protocol is shown and never trusted: in a frame it has an origin of its own, and no scripts. */
const POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
/** Types that a page would run. Browsers refuse them as plain text. */
const ACTIVE = /^text\/(?:html|javascript|css)/

const NOT_ENABLED: Refusal = {
  status: 403,
  text: 'The asset protocol is not enabled. Set app.security.assetProtocol in the configuration of the bus.',
}
const NOT_IN_SCOPE: Refusal = {
  status: 403,
  text: 'The path is not in the scope of the asset protocol. Add it to app.security.assetProtocol.scope.',
}
const NO_FILE: Refusal = { status: 404, text: 'There is no such file.' }

/** Serves the file at an encoded path, or returns why it is refused. @param scope - absent if the protocol is not enabled */
export async function serveAsset(
  scope: AssetScope | undefined,
  encoded: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<Refusal | undefined> {
  if (!scope) return NOT_ENABLED
  const path = decode(encoded)
  if (path === undefined) return NOT_IN_SCOPE
  const canonical = await realpath(path).catch(() => undefined)
  if (canonical === undefined) return (await scope.allows(path, path)) ? NO_FILE : NOT_IN_SCOPE
  if (!(await scope.allows(canonical, path))) return NOT_IN_SCOPE
  const file = await open(canonical, OPEN_FLAGS).catch(() => undefined)
  if (!file) return NO_FILE
  try {
    const stats = await file.stat()
    if (!stats.isFile()) return NO_FILE
    if (!(await isVerified(file, canonical, path, scope))) return NOT_IN_SCOPE
    const type = getMediaType(path) ?? 'application/octet-stream'
    await sendFile(file, stats, request, response, {
      ...headers,
      'content-security-policy': POLICY,
      'content-type': ACTIVE.test(type) ? 'text/plain; charset=utf-8' : type,
    })
    return undefined
  } finally {
    await file.close()
  }
}

/** Directories can have been renamed since the check, so that the name led to another file. */
async function isVerified(file: FileHandle, canonical: string, path: string, scope: AssetScope): Promise<boolean> {
  try {
    if (process.platform === 'linux') return await scope.allows(await readlink(`/proc/self/fd/${file.fd}`), path)
    const [opened, named] = [await file.stat({ bigint: true }), await lstat(canonical, { bigint: true })]
    return opened.dev === named.dev && opened.ino === named.ino && (await realpath(canonical)) === canonical
  } catch {
    return false
  }
}

/** Returns an absolute path without `..`, and without the names of devices and streams of Windows. */
function decode(encoded: string): string | undefined {
  let path: string
  try {
    path = decodeURIComponent(encoded)
  } catch {
    return undefined
  }
  if (path.length > MAX_PATH_LENGTH || path.includes('\0') || !isAbsolute(path)) return undefined
  const names = path.split(isWindows ? /[\\/]/ : '/')
  if (names.includes('..')) return undefined
  if (!isWindows) return path
  const isPlain = /^[a-z]:[\\/][^:]*$/i.test(path) && !names.some(name => DEVICE.test(name))
  return isPlain ? path : undefined
}

const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|[. ]$/i
