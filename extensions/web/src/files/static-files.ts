// Serves the files of one directory by Tauri's routes. No path leads out of the directory, by `..`, encoded or as a symbolic link. Files
// with a leading dot do not exist.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type OpenedFile, openToRead, resolveBelow } from '@sallyport/paths/internal'
import { BASE_PATH } from '../contract/greeting.js'

export interface FileHeaders {
  readonly headers: Readonly<Record<string, string>>
  toPage(html: string): { html: string; headers: Readonly<Record<string, string>> }
}

/** Serves the file at a path of a URL, or a range of it. Returns false if there is no such file. */
export async function serveFile(
  root: string,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
  { headers, toPage }: FileHeaders,
): Promise<boolean> {
  const found = await openFirst(root, getRoutes(pathname, request))
  if (!found) return false
  const { file, path } = found
  try {
    const type = getMediaType(path) ?? 'application/octet-stream'
    if (!isHtml(path)) {
      await sendFile(file, request, response, { ...headers, 'content-type': type })
      return true
    }
    const page = toPage(await file.handle.readFile('utf8'))
    const body = Buffer.from(page.html)
    response.writeHead(200, { ...page.headers, 'content-type': type, 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
    return true
  } finally {
    await file.handle.close()
  }
}

/** Returns the paths to look for in their order, as lists of names. The last one is for routes that the page's own script handles. */
function getRoutes(pathname: string, request: IncomingMessage): string[][] {
  const names = decode(pathname)?.replace(/\/$/, '').split('/').slice(1)
  if (!names || names.some(name => isHidden(name) || /[\\\0:]/.test(name))) return []
  const last = names.at(-1)
  if (last === undefined) return [['index.html']]
  const routes = [names, [...names.slice(0, -1), `${last}.html`], [...names, 'index.html']]
  const isRoute = isNavigation(request) && !`${pathname}/`.startsWith(`${BASE_PATH}/`)
  // A missing file of a known type is not a route.
  return isRoute && (getMediaType(last) === undefined || isHtml(last)) ? [...routes, ['index.html']] : routes
}

/** Older browsers do not send `Sec-Fetch-Mode`. */
const isNavigation = ({ headers }: IncomingMessage): boolean =>
  (headers['sec-fetch-mode'] ?? (headers.accept?.includes('text/html') ? 'navigate' : '')) === 'navigate'

async function openFirst(
  root: string,
  routes: readonly string[][],
): Promise<{ file: OpenedFile; path: string } | undefined> {
  for (const names of routes) {
    try {
      const found = await resolveBelow(root, join(root, ...names))
      if (found && !found.names.some(isHidden)) return { file: await openToRead(found.path), path: found.path }
    } catch {
      // No such file, or no longer the one that was found.
    }
  }
  return undefined
}

const isHidden = (name: string): boolean => name.startsWith('.')

function decode(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return undefined
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/mp4',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.mov': 'video/quicktime',
  '.webm': 'video/webm',
  '.pdf': 'application/pdf',
  '.wasm': 'application/wasm',
}

/** Returns the media type of a file by its extension, or `undefined` for an unknown one. */
export const getMediaType = (path: string): string | undefined => TYPES[extname(path).toLowerCase()]

const isHtml = (path: string): boolean => getMediaType(path) === TYPES['.html']

export async function sendFile(
  { handle, size, modified }: OpenedFile,
  { method, headers: { range, 'if-range': ifRange } }: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const lastModified = modified.toUTCString()
  const isWanted = method === 'GET' && range !== undefined && (ifRange === undefined || ifRange === lastModified)
  const part = isWanted ? getPart(range, size) : undefined
  if (part === 'none') {
    return void response.writeHead(416, { ...headers, 'content-range': `bytes */${size}` }).end()
  }
  // A file that grows meanwhile must not exceed the announced length.
  const { start, end } = part ?? { start: 0, end: size - 1 }
  response.writeHead(part ? 206 : 200, {
    ...headers,
    ...(part && { 'content-range': `bytes ${start}-${end}/${size}` }),
    'accept-ranges': 'bytes',
    'last-modified': lastModified,
    'content-length': end - start + 1,
  })
  if (method === 'HEAD' || end < start) return void response.end()
  const content = handle.createReadStream({ start, end, autoClose: false })
  await pipeline(content, response, { end: false })
  // The rest of a file that shrank would be the next response on this connection.
  if (content.bytesRead < end - start + 1) response.destroy()
  else response.end()
}

/**
 * Returns the part of a file that a `Range` asks for, or 'none' if the file has no byte of it. Returns `undefined` for several ranges, and
 * for a header that is not valid, which HTTP ignores (RFC 9110, 14.2).
 */
function getPart(range: string, size: number): { start: number; end: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? []
  if (first + last === '' || (first !== '' && last !== '' && Number(last) < Number(first))) return undefined
  // Without a first byte, the number counts the last bytes.
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start > end ? 'none' : { start, end }
}
