// Serves the files of one directory by Tauri's routes. No path leads out of the directory, by `..`, encoded or as a symbolic link. Files
// with a leading dot do not exist.
import { type OpenedFile, openToRead, resolveBelow } from '@sallyport/paths/internal'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { BASE_PATH } from '../contract/greeting.js'
import { getMediaType, isHtml, sendFile } from './send-file.js'

export interface FileHeaders {
  /** Headers of every file. */
  readonly headers: Readonly<Record<string, string>>
  /** Returns a page as it is sent, and its headers. */
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
