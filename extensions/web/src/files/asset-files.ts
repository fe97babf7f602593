// Tauri's asset protocol: serves files that the scope of the project allows, under the origin of the page. The scope is that of
// `app.security.assetProtocol.scope`.
import type { AssetScope, PathResolver } from '@sallyport/core/internal'
import {
  checkPathEntry,
  getPathScopeOptions,
  openToRead,
  PathScope,
  resolveLinks,
  toAbsolutePath,
} from '@sallyport/paths/internal'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isAbsolute } from 'node:path'
import type { Refusal } from '../http/request-policy.js'
import { getMediaType, sendFile } from './static-files.js'

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
  scope: PathScope | undefined,
  encoded: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<Refusal | undefined> {
  if (!scope) return NOT_ENABLED
  const path = decode(encoded)
  if (path === undefined) return NOT_IN_SCOPE
  const canonical = await resolveLinks(path).catch(() => undefined)
  if (canonical === undefined || !scope.includes(canonical, path)) return NOT_IN_SCOPE
  const file = await openToRead(canonical).catch(() => undefined)
  if (!file) return NO_FILE
  try {
    const type = getMediaType(path) ?? 'application/octet-stream'
    await sendFile(file, request, response, {
      ...headers,
      'content-security-policy': POLICY,
      'content-type': ACTIVE.test(type) ? 'text/plain; charset=utf-8' : type,
    })
    return undefined
  } finally {
    await file.handle.close()
  }
}

/** Returns an absolute path without `..`, and without the names of devices, streams and network shares of Windows. */
function decode(encoded: string): string | undefined {
  try {
    const path = decodeURIComponent(encoded)
    return isAbsolute(path) ? toAbsolutePath(path) : undefined
  } catch {
    return undefined
  }
}

/**
 * Compiles the scope of a configuration.
 * @param warn - receives what is ignored: a directory that this system does not have
 * @throws {BusError} InvalidParams for a malformed glob
 */
export function createAssetScope(config: AssetScope, paths: PathResolver, warn: (text: string) => void): PathScope {
  const check = (pattern: string): void => {
    const where = `app.security.assetProtocol.scope: ${JSON.stringify(pattern)}`
    try {
      checkPathEntry(pattern)
    } catch (cause) {
      throw new BusError('InvalidParams', `${where}: ${describeThrown(cause)}`, { cause })
    }
    try {
      paths.parse(pattern)
    } catch (error) {
      warn(`${where} is ignored: ${describeThrown(error)}`)
    }
  }
  const { allow = [], deny = [], requireLiteralLeadingDot = config['require-literal-leading-dot'] } = config
  for (const pattern of [...allow, ...deny]) check(pattern)
  return new PathScope({ allow, deny }, paths, getPathScopeOptions(requireLiteralLeadingDot ?? undefined))
}
