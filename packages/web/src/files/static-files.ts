// Serves the files of one directory: no path leads out of it, by `..`, encoded or as a symbolic link. Files with a leading dot do not exist.
import { open, realpath } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, isAbsolute, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { PAGE_SCRIPT_PATH } from './greeting.js'

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
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.pdf': 'application/pdf',
  '.wasm': 'application/wasm',
}

const SCRIPT_TAG = `<script src="${PAGE_SCRIPT_PATH}"></script>`

/** Serves the file at a path of a URL, or a range of it, with these headers besides its own. Returns false if there is no such file. */
export async function serveFile(
  root: string,
  pathname: string,
  { method, headers: { range, 'if-range': ifRange } }: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const path = await findFile(root, pathname)
  if (path === undefined) return false
  const file = await open(path)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) return false
    const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream'
    if (type === TYPES['.html']) {
      const html = Buffer.from(addScript(await file.readFile('utf8')))
      response.writeHead(200, { ...headers, 'content-type': type, 'content-length': html.length })
      response.end(method === 'HEAD' ? undefined : html)
      return true
    }
    const modified = stats.mtime.toUTCString()
    const isWanted = method === 'GET' && range !== undefined && (ifRange === undefined || ifRange === modified)
    const part = isWanted ? getPart(range, stats.size) : undefined
    if (part === 'none') {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${stats.size}` }).end()
      return true
    }
    // A file that grows meanwhile must not exceed the announced length.
    const { start, end } = part ?? { start: 0, end: stats.size - 1 }
    response.writeHead(part ? 206 : 200, {
      ...headers,
      ...(part && { 'content-range': `bytes ${start}-${end}/${stats.size}` }),
      'accept-ranges': 'bytes',
      'last-modified': modified,
      'content-type': type,
      'content-length': end - start + 1,
    })
    if (method === 'HEAD' || end < start) response.end()
    else await pipeline(file.createReadStream({ start, end, autoClose: false }), response)
    return true
  } finally {
    await file.close()
  }
}

/** Returns the real path of a file, if it is one that may be served. */
async function findFile(root: string, pathname: string): Promise<string | undefined> {
  const segments = decode(pathname)?.split('/').slice(1)
  if (!segments || segments.some(segment => isHidden(segment) || /[\\\0:]/.test(segment))) return undefined
  if (segments.at(-1) === '') segments[segments.length - 1] = 'index.html'
  try {
    const base = await realpath(root)
    const path = await realpath(join(base, ...segments))
    // A relative path that leads out of the directory begins with `..`, or on another drive is absolute.
    const inside = relative(base, path)
    return isAbsolute(inside) || inside.split(sep).some(isHidden) ? undefined : path
  } catch {
    return undefined
  }
}

const isHidden = (segment: string): boolean => segment.startsWith('.')

function decode(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return undefined
  }
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

/** The start of a page, before any script: white space, comments, the doctype, `<html>` and `<head>`. */
const BEFORE_SCRIPTS =
  /^(?:\s|<!--(?:-?>|.*?--!?>)|<!doctype[^>]*>|<(?:html|head)(?:\s(?:[^"'>]|"[^"]*"|'[^']*')*)?>)*/is

/** Characters of a page that are searched for its start. A longer start would exceed the stack of the expression. */
const MAX_START = 2 ** 16

/** Adds the script before all others of a page. */
function addScript(html: string): string {
  const [start] = BEFORE_SCRIPTS.exec(html.slice(0, MAX_START))!
  return start + SCRIPT_TAG + html.slice(start.length)
}
