// The content security policy of a page: the one of its options, or of the Tauri project, or the strict default, and what browsers report of it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Csp, HostLog, WebviewConfig } from '@sallyport/core/internal'
import { LOCAL_HEADERS } from '@sallyport/protocol/internal/local-server'
import { ASSET_PATH, REPORT_PATH } from '../contract/greeting.js'
import type { InlineHashes } from './page-scripts.js'

export interface ContentPolicyDeps {
  readonly csp: string | undefined
  readonly webview: WebviewConfig | undefined
  readonly isDev: boolean
}

export class ContentPolicy {
  readonly #option: string | undefined
  readonly #webview: WebviewConfig | undefined
  readonly #directives: Directives | undefined

  constructor({ csp, webview, isDev }: ContentPolicyDeps) {
    this.#option = csp
    this.#webview = webview
    const projectCsp = isDev ? webview?.devCsp : webview?.csp
    this.#directives = projectCsp === undefined ? undefined : parse(projectCsp)
  }

  get isDefault(): boolean {
    return this.#option === undefined && !this.#webview
  }

  /** @param hashes - those of the page, if the response is one */
  toText(host: string, hashes?: InlineHashes): string {
    if (this.#option !== undefined) return this.#option
    if (!this.#webview) return getDefaultCsp(host)
    // Without a policy, as in Tauri. Only pages of this origin could frame it.
    if (!this.#directives) return "frame-ancestors 'self'"
    const directives = new Map(this.#directives)
    this.#addTauriSources(directives, hashes)
    addServerSources(directives, host)
    return Array.from(directives, ([name, sources]) => [name, ...sources].join(' ')).join('; ')
  }

  /** Adds what Tauri adds, unless the configuration disables that: `'self'`, and the hashes of inline elements. */
  #addTauriSources(directives: Directives, hashes: InlineHashes = { scripts: [], styles: [] }): void {
    const kept = this.#webview!.keptDirectives
    for (const [name, found] of [
      ['script-src', hashes.scripts],
      ['style-src', hashes.styles],
    ] as const) {
      if (kept === true || (Array.isArray(kept) && kept.includes(name))) continue
      // The script that the server adds needs `'self'` in every page.
      const inherited = name === 'script-src' ? directives.get('default-src') : undefined
      const sources = directives.get(name) ?? (found.length > 0 ? [] : inherited)
      if (sources && (found.length > 0 || name === 'script-src')) {
        addSources(directives, name, sources, ["'self'", ...found])
      }
    }
  }
}

type Directives = Map<string, readonly string[]>

function parse(csp: Csp): Directives {
  const entries: [string, string | readonly string[]][] =
    typeof csp === 'string' ? csp.split(';').map(text => [/^\s*\S*/.exec(text)![0], text]) : Object.entries(csp)
  const directives: Directives = new Map()
  for (const [name, value] of entries) {
    const key = name.trim().toLowerCase()
    const words = (typeof value === 'string' ? value : value.join(' ')).split(/\s+/).filter(Boolean)
    // Browsers ignore the second directive of a name.
    if (key !== '' && !directives.has(key)) directives.set(key, typeof csp === 'string' ? words.slice(1) : words)
  }
  return directives
}

/** Adds the sources of this server for what Tauri's own protocols serve: the IPC, and assets. */
function addServerSources(directives: Directives, host: string): void {
  const sources = directives.get('connect-src') ?? directives.get('default-src')
  if (sources) addSources(directives, 'connect-src', sources, ["'self'", `ws://${host}`, `wss://${host}`])
  for (const [name, found] of directives) {
    const hasAssets = found.some(source => /^(?:asset:|https?:\/\/asset\.localhost\b)/.test(source))
    if (hasAssets) addSources(directives, name, found, [`http://${host}${ASSET_PATH}`])
  }
}

function addSources(directives: Directives, name: string, sources: readonly string[], added: readonly string[]): void {
  // `'none'` is valid alone only.
  directives.set(name, [...new Set([...sources.filter(source => source !== "'none'"), ...added])])
}

/** Everything must come from the page's own origin, no other page frames it, and no text runs as a script. */
const getDefaultCsp = (host: string): string =>
  [
    "default-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self' ws://${host}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    `report-uri ${REPORT_PATH}`,
    "frame-ancestors 'none'",
  ].join('; ')

const MAX_REPORT_BYTES = 2 ** 14
const MAX_TEXT_LENGTH = 200

/** Reports of browsers that a page breaks the default policy. The first one of a label becomes a hint in the log; no other one is read. */
export function createReportReceiver(
  label: string,
  log: HostLog,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let isRead = false
  return async (request, response) => {
    const isFirst = !isRead
    isRead = true
    const text = isFirst ? await readText(request) : undefined
    // The rest of the body is not read.
    response.writeHead(204, { ...LOCAL_HEADERS, connection: 'close' }).end()
    const report = text === undefined ? undefined : parseReport(text)
    if (!report) return
    const remedy = `Set frontends.${label}.csp, or create the bus with the config of its Tauri project`
    log.warn({ label, ...report }, `The default content security policy blocked a part of the page. ${remedy}`)
  }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (text.length > MAX_REPORT_BYTES) return undefined
  }
  return text
}

/** Returns what a report says, which can be any text: scripts of the page can send one. */
function parseReport(text: string): { directive: string; blocked: string } | undefined {
  try {
    const report = (JSON.parse(text) as { 'csp-report'?: Record<string, unknown> })['csp-report']
    const [directive, blocked] = [
      report?.['effective-directive'] ?? report?.['violated-directive'],
      report?.['blocked-uri'],
    ]
    if (typeof directive !== 'string' || typeof blocked !== 'string') return undefined
    return { directive: directive.slice(0, MAX_TEXT_LENGTH), blocked: blocked.slice(0, MAX_TEXT_LENGTH) }
  } catch {
    return undefined
  }
}
