// Reports of browsers that a page breaks the default policy. The first one of a label becomes a hint in the log; no other one is read.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HostLog } from '@sallyport/core/internal'
import { LOCAL_HEADERS } from '@sallyport/protocol/internal/local-server'

const MAX_REPORT_BYTES = 2 ** 14
const MAX_TEXT_LENGTH = 200

export class PolicyReports {
  readonly #label: string
  readonly #log: HostLog
  #isRead = false

  constructor(label: string, log: HostLog) {
    this.#label = label
    this.#log = log
  }

  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isFirst = !this.#isRead
    this.#isRead = true
    const text = isFirst ? await readText(request) : undefined
    // The rest of the body is not read.
    response.writeHead(204, { ...LOCAL_HEADERS, connection: 'close' }).end()
    const report = text === undefined ? undefined : parse(text)
    if (!report) return
    const remedy = `Set frontends.${this.#label}.csp, or create the bus with the config of its Tauri project`
    this.#log.warn(
      { label: this.#label, ...report },
      `The default content security policy blocked a part of the page. ${remedy}`,
    )
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
function parse(text: string): { directive: string; blocked: string } | undefined {
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
