// Answers the HTTP requests for the pages of one label: its files, its scripts, and assets of the host.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PathScope } from '@sallyport/paths/internal'
import { getRequestUrl, LOCAL_HEADERS } from '@sallyport/protocol/internal/local-server'
import { serveAsset } from './files/asset-files.js'
import type { ContentPolicy } from './document/content-policy.js'
import { ASSET_PATH, BASE_PATH, PAGE_SCRIPT_PATH, REPORT_PATH, WINDOW_SCRIPT_PATH } from './contract/greeting.js'
import { addScripts, hashInlineElements, type InlineHashes, type PageScripts } from './document/page-scripts.js'
import { NO_TOKEN, type PageToken, type Refusal, type RequestPolicy } from './http/request-policy.js'
import { serveFile } from './files/static-files.js'

const NO_FILE: Refusal = { status: 404, text: 'There is no such file.' }

export interface PageService {
  readonly dir: string | undefined
  readonly requestPolicy: RequestPolicy
  readonly contentPolicy: ContentPolicy
  receiveReport(request: IncomingMessage, response: ServerResponse): Promise<void>
  readonly scripts: PageScripts
  /** Absent if the asset protocol is not enabled. */
  readonly assets: PathScope | undefined
  /** Absent if the host has its own check. */
  readonly token: PageToken | undefined
  /** Returns true if the request is allowed to load the pages of this label. */
  isKnown(request: IncomingMessage): Promise<boolean>
  /** Returns the script that connects a page, or `undefined` if the label's frontend has ended. */
  getPageScript(): string | undefined
  readonly windowScript: string
}

export async function servePage(
  service: PageService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { requestPolicy, token, dir, receiveReport, isKnown, assets, contentPolicy, scripts } = service
  const { pathname, searchParams } = getRequestUrl(request)
  const isReport = pathname === REPORT_PATH && request.method === 'POST'
  const refusal = isReport ? requestPolicy.checkReport(request) : requestPolicy.checkRequest(request)
  if (refusal) return refuse(response, refusal)
  const secret = searchParams.get('token')
  // Pages have parameters of this name, too.
  if (token && secret !== null && token.isEqual(secret)) {
    searchParams.delete('token')
    const query = searchParams.size > 0 ? `?${searchParams}` : ''
    // A path that begins with two slashes would lead to another host.
    const location = pathname === BASE_PATH ? '/' : `/${pathname.replace(/^\/+/, '')}${query}`
    response.writeHead(303, { ...LOCAL_HEADERS, 'set-cookie': token.cookie, location })
    return void response.end()
  }
  if (!(await isKnown(request))) return refuse(response, NO_TOKEN)
  if (isReport) return receiveReport(request, response)
  const { host = '' } = request.headers
  const headers = getHeaders(contentPolicy, host)
  if (pathname.startsWith(ASSET_PATH)) {
    const denied = await serveAsset(assets, pathname.slice(ASSET_PATH.length), request, response, headers)
    return denied && refuse(response, denied)
  }
  const script = await readScript(service, pathname)
  if (typeof script === 'object') return refuse(response, script)
  if (script !== undefined) {
    response.writeHead(200, { ...headers, 'content-type': 'text/javascript; charset=utf-8' })
    return void response.end(script)
  }
  const toPage = (html: string) => ({
    html: addScripts(html, [PAGE_SCRIPT_PATH, ...scripts.urls]),
    headers: getHeaders(contentPolicy, host, hashInlineElements(html)),
  })
  if (dir !== undefined && (await serveFile(dir, pathname, request, response, { headers, toPage }))) return
  refuse(response, NO_FILE)
}

async function readScript(
  { getPageScript, windowScript, scripts }: PageService,
  pathname: string,
): Promise<string | Refusal | undefined> {
  if (pathname === PAGE_SCRIPT_PATH) return getPageScript() ?? { status: 503, text: 'The frontend has ended.' }
  return pathname === WINDOW_SCRIPT_PATH ? windowScript : scripts.read(pathname)
}

function getHeaders(
  contentPolicy: ContentPolicy,
  host: string,
  hashes?: InlineHashes,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { ...LOCAL_HEADERS }
  headers['content-security-policy'] = contentPolicy.toText(host, hashes)
  // Another policy decides on framing itself. Only pages of the same origin could frame: `checkRequest` refuses the others.
  if (!contentPolicy.isDefault) delete headers['x-frame-options']
  return headers
}

export function refuse(response: ServerResponse, { status, text }: Refusal): void {
  const allow = status === 405 ? { allow: 'GET, HEAD' } : {}
  // Pages of other sites could keep as many connections as a label can have.
  const headers = { ...LOCAL_HEADERS, ...allow, connection: 'close', 'content-type': 'text/plain; charset=utf-8' }
  response.writeHead(status, headers)
  response.end(`${text}\n`)
}
