// Sends an open file, or the range of it that a request asks for.
import type { OpenedFile } from '@sallyport/paths/internal'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'

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

export const isHtml = (path: string): boolean => getMediaType(path) === TYPES['.html']

/** Sends the file with these headers in addition to its own. The caller closes it. */
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
