// Parses the reports of the members of a process, which is untrusted.
import {
  areTokens,
  type FrontendReport,
  LIFECYCLE_STATES,
  type LifecycleState,
  MAX_OUTPUT_TEXT,
  MAX_UNHANDLED,
  type MemberReport,
  type OutputReport,
} from '@sallyport/protocol/internal/contract'
import { scanJson } from '@sallyport/protocol/internal/codec'
import {
  FRAME_KIND,
  getText,
  MAX_SNAPSHOT_BYTES,
  type ReceivedFrame,
  SNAPSHOT_PART_BYTES,
} from '@sallyport/protocol/internal/wire'
import { getUnsent, isReportable, type ReportedError, truncateReported } from '@sallyport/protocol/internal/errors'

/** @param report - what the frame has, if it is JSON */
type ParseReport = (frame: ReceivedFrame, report: Record<string, unknown>) => FrontendReport | 'nothing' | undefined

const MODULE_STEPS = ['loaded', 'synchronized'] as const
const MAX_LIMIT_LENGTH = 20
const ERROR_FIELDS = ['message', 'stack', 'reason'] as const

/**
 * Returns a parser for the reports of one frontend. Each state is accepted once and in order, with a few strings of
 * its error: also `failed` after `stopped`, since the code's last tick can throw. `loaded` and then `synchronized` are accepted once,
 * after `ready`. `unsent`, `unhandled` and `answer` are accepted at any time: the relay throttles the first and answers by the last, and of `unhandled` only
 * `MAX_UNHANDLED` are passed on. The parts of a snapshot and `suspended` behind them are accepted once, after `ready`, and
 * no part but the last one is short, which bounds their number. The parser returns `undefined` for an invalid report, and `'nothing'` for one that is
 * not passed on: a part, or a rejection too many, of which each costs the host's thread an error.
 *
 * @param canSuspend - returns false for code that is never interrupted: what it sends as parts would only fill the memory of its relay
 */
function createReportParser(canSuspend: () => boolean): ParseReport {
  let last = -1
  let moduleSteps = 0
  let parts: Uint8Array[] | undefined = []
  let partBytes = 0
  let isLast = false
  let unhandled = 0
  const isReady = (): boolean => last >= LIFECYCLE_STATES.indexOf('ready')
  return ({ kind, body }, report) => {
    if (kind === FRAME_KIND.bytes && parts && canSuspend() && isReady() && typeof body !== 'string') {
      if (body.length === 0 || isLast) return undefined
      isLast = body.length < SNAPSHOT_PART_BYTES
      partBytes += body.length
      if (partBytes > MAX_SNAPSHOT_BYTES) return undefined
      parts.push(body.slice())
      return 'nothing'
    }
    if (kind !== FRAME_KIND.json) return undefined
    const { type, state, error, count, tokens, queued } = report
    if (type === 'unhandled') return ++unhandled > MAX_UNHANDLED ? 'nothing' : { type, error: pickStrings(error) }
    if (type === 'answer') return { type, ...(Number.isSafeInteger(queued) && { queued: queued as number }) }
    if (type === 'unsent') return Number.isSafeInteger(count) ? { type, count: count as number } : undefined
    if (type === 'loaded' || type === 'synchronized') {
      if (type !== MODULE_STEPS[moduleSteps] || !isReady()) return undefined
      moduleSteps++
      return { type }
    }
    if (type === 'suspended') {
      if (!parts || partBytes === 0 || !areTokens(tokens)) return undefined
      const snapshot = Uint8Array.from(Buffer.concat(parts))
      parts = undefined
      return { type, snapshot, tokens }
    }
    const index = LIFECYCLE_STATES.indexOf(state as LifecycleState)
    if (type !== 'state' || index <= last) return undefined
    last = index
    return { type: 'state', state: LIFECYCLE_STATES[index]!, ...(error !== undefined && { error: pickStrings(error) }) }
  }
}

/** Also the report of a process, once, whether it has inherited the sockets for its frames. */
export type RelayedReport =
  | Exclude<MemberReport, { type: 'message' }>
  | { type: 'message'; message: FrontendReport }
  | { type: 'linked'; isDirect: boolean }

/** Returns a parser for the reports of one member. A script prints by reports, too. Its first error is its end. */
export function createMemberParser(
  canSuspend: () => boolean = () => false,
): (frame: ReceivedFrame) => RelayedReport | 'nothing' | undefined {
  const parse = createReportParser(canSuspend)
  let isLinked = false
  let hasFailed = false
  return frame => {
    if (frame.kind !== FRAME_KIND.json) return parse(frame, {}) === 'nothing' ? 'nothing' : undefined
    const { type, message, error, code, isDirect } = parseObject(frame.body)
    switch (type) {
      case 'linked':
        if (isLinked || typeof isDirect !== 'boolean') return undefined
        isLinked = true
        return { type, isDirect }
      case 'message': {
        const fields: Record<string, unknown> = Object(message)
        const report = fields['type'] === 'output' ? parseOutput(fields) : parse(frame, fields)
        return typeof report === 'object' ? { type, message: report } : report
      }
      case 'error':
        if (hasFailed) return 'nothing'
        hasFailed = true
        return { type, error: pickStrings(error) }
      case 'terminating':
        return { type }
      case 'exited':
        return code === 0 || code === 1 ? { type, code } : undefined
      default:
        return undefined
    }
  }
}

function parseOutput({ stream, text, lost }: Record<string, unknown>): OutputReport | undefined {
  const isStream = stream === 'stdout' || stream === 'stderr'
  if (!isStream || typeof text !== 'string' || text.length > MAX_OUTPUT_TEXT || !Number.isSafeInteger(lost))
    return undefined
  return { type: 'output', stream, text, lost: lost as number }
}

function parseObject(body: ReceivedFrame['body']): Record<string, unknown> {
  try {
    // `postMessage` overflows the stack of its thread when it clones a value that is nested deeper.
    scanJson(typeof body === 'string' ? Buffer.from(body) : body, 0)
    return Object(JSON.parse(getText(body)))
  } catch {
    return {}
  }
}

function pickStrings(error: unknown): ReportedError {
  const fields: Record<string, unknown> = Object(error)
  const unsent = getUnsent(fields)
  const { limit, max }: Record<string, unknown> = Object(fields['limit'])
  const isLimit = typeof limit === 'string' && limit.length <= MAX_LIMIT_LENGTH && typeof max === 'number'
  const texts = ERROR_FIELDS.filter(name => typeof fields[name] === 'string')
  const strings = texts.map(name => [name, truncateReported(fields[name] as string)])
  return {
    message: 'The frontend failed',
    ...Object.fromEntries(strings),
    ...(isLimit && { limit: { limit, max } }),
    ...(unsent !== undefined && { unsent }),
    // The host takes an error of it, whatever it is.
    ...(isReportable(fields['thrown']) && { thrown: fields['thrown'] }),
  }
}
