// One call in the model of the bus: its caller and link, its possible outcomes, and its outcome.
import { isBusError } from '@sallyport/protocol/internal/errors'
import type { Random } from '../../fuzz/random.js'

/** Instruction for the hook, which is part of the call's arguments. */
export type Verdict = 'pass' | 'null' | 'throws' | 'later' | 'laterNull' | 'never' | 'dies'

/** What a call is drawn from. In a world whose outcomes are compared, each has a generator and a name of its own. */
export interface Step {
  readonly random: Random
  readonly name?: string
}

/** One link from its opening to its end. Messages of another link must not appear on it. */
export interface Epoch {
  readonly number: number
  /** Number of the core that it leads to. */
  readonly core: number
  readonly isolated: boolean
  ended: boolean
  /** The frontend has closed it without another fault since: everything that was sent arrives. */
  left: boolean
  /** Its client has closed: it has given up what it had not sent, and its code might not live to record that. */
  closed?: boolean
  /** Its frontend, its gate or core has not ended by itself, or was stalled meanwhile. */
  harmed?: boolean
  /** The host has closed its frontend: core drops calls, and reads what else was sent. */
  dropsCalls?: boolean
  /** Messages sent to core on it. */
  sent: number
  /** About how many bytes that are, in both directions. */
  bytes: number
  /** Running handlers of its calls. */
  running: number
  /** Number of the latest message that core has received on it. */
  received: number
}

export class Ask {
  readonly token: number
  readonly command: string
  readonly by: string
  /** `undefined` without a link. */
  readonly epoch: Epoch | undefined
  readonly verdict: Verdict
  /** The caller can be gone, and then gets no answer. */
  readonly isOrphan: () => boolean
  /** Its number among all messages of its sender. `undefined` for core's own calls. */
  readonly order: number | undefined
  readonly step: Step
  /** The client knew that it has no link. */
  unlinked = false
  /** The call is rejected if it would have to wait. */
  rejects = false
  aborted = false
  timeout: number | undefined
  startedAt = 0
  /** The handler never ends without its signal. */
  endless = false
  /** The handler has sent more than its channel has room for. */
  floods = false
  /** The link over which its handler, a function of a frontend, has answered before its frontend or the bus began to end. */
  answeredOver: Epoch | undefined
  ran = 0
  isRunning = false
  outcomes: string[] = []

  constructor(options: Pick<Ask, 'token' | 'command' | 'by' | 'epoch' | 'verdict' | 'isOrphan' | 'order' | 'step'>) {
    this.token = options.token
    this.command = options.command
    this.by = options.by
    this.epoch = options.epoch
    this.verdict = options.verdict
    this.isOrphan = options.isOrphan
    this.order = options.order
    this.step = options.step
  }

  /** The hook lets it pass, if there is a hook. */
  get passes(): boolean {
    return !this.epoch?.isolated || passes(this.verdict)
  }

  get isOfCore(): boolean {
    return this.order === undefined
  }

  toString(): string {
    const { token, command, by, epoch, verdict } = this
    return `call ${token} (${command}, by ${by}, link ${epoch?.number ?? 'none'}, hook: ${epoch?.isolated ? verdict : 'none'})`
  }
}

export const passes = (verdict: Verdict): boolean => ['pass', 'later', 'dies'].includes(verdict)

/** Describes an error without what differs from one run to the next. */
export const getText = (error: unknown): string => `${getOutcome(error)}: ${String(error)}`.replaceAll(/\d+/gu, '#')

/** Describes an outcome briefly, with the owner of a result or error of a handler. */
export function getOutcome(error: unknown): string {
  if (!isBusError(error)) return `no BusError: ${String(error)}`
  const { reason, message, data } = error
  const { delivered } = (data ?? {}) as { delivered?: string }
  if (reason === 'Disconnected' || delivered !== undefined) return `${reason} ${delivered}`
  // Core no longer has it, and its handler may have run.
  if (reason === 'Overloaded' && /^The (result|answer) .* was not sent/u.test(message)) return 'Overloaded unknown'
  if (reason === 'CommandFailed') return `${reason} ${String((data as { token?: number } | null)?.token)}`
  return reason
}
