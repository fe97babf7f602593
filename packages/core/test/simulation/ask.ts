// One call in the model of the bus: who made it over which link, what is to become of it, and what did.
import { isBusError } from '@sallyport/protocol'

/** What the hook is to do with a call: it stands in its arguments. */
export type Verdict = 'pass' | 'null' | 'throws' | 'later' | 'laterNull' | 'never' | 'dies'

/** One life of one link. What belongs to another one must not be met on it. */
export interface Epoch {
  readonly number: number
  /** Which core it leads to. */
  readonly core: number
  readonly isolated: boolean
  ended: boolean
  /** The frontend has closed it, and nothing has happened to it since: what was sent arrives. */
  left: boolean
  /** How much was sent to core on it. */
  sent: number
  /** About how many bytes that makes, the other way too. */
  bytes: number
  /** Handlers that run for it. */
  running: number
  /** Of what core has received on it, the latest. */
  received: number
}

export class Ask {
  readonly token: number
  readonly command: string
  readonly by: string
  /** `undefined` where there was no link. */
  readonly epoch: Epoch | undefined
  readonly verdict: Verdict
  /** Its caller may be gone: nobody is left to be told. */
  readonly isOrphan: () => boolean
  /** Its place among all that its sender has sent; none of core's own calls. */
  readonly order: number | undefined
  /** The client knew that there is no link. */
  unlinked = false
  /** What would have to wait is refused. */
  rejects = false
  aborted = false
  timeout: number | undefined
  startedAt = 0
  /** Its handler never ends by itself. */
  endless = false
  ran = 0
  isRunning = false
  outcomes: string[] = []

  constructor(given: Pick<Ask, 'token' | 'command' | 'by' | 'epoch' | 'verdict' | 'isOrphan' | 'order'>) {
    this.token = given.token
    this.command = given.command
    this.by = given.by
    this.epoch = given.epoch
    this.verdict = given.verdict
    this.isOrphan = given.isOrphan
    this.order = given.order
  }

  /** The hook lets it pass, where there is one. */
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

/** In a word or two. Of a result, and of what a handler throws, it tells whose it is. */
export function outcomeOf(error: unknown): string {
  if (!isBusError(error)) return `no BusError: ${String(error)}`
  const { reason, message, data } = error
  const { delivered } = (data ?? {}) as { delivered?: string }
  if (reason === 'Disconnected' || delivered !== undefined) return `${reason} ${delivered}`
  // Core has it no more, and it may have run.
  if (reason === 'Overloaded' && /^The (result|answer) .* was not sent/u.test(message)) return 'Overloaded unknown'
  if (reason === 'CommandFailed') return `${reason} ${String((data as { token?: number } | null)?.token)}`
  return reason
}
