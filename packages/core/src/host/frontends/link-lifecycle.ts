// The lifecycle of one link between a frontend and core, for everything that holds an end of it: the host's handle of the frontend,
// the bridge to a remote core, and code outside of this process. The table is pure. Each holder implements the effects.

/**
 * - `pending`: offered to core
 * - `attached`: core has taken the link, and the frontend's code does not have it yet
 * - `closing`: one side closed the link; the reason can follow within a grace period
 * - `draining`: replaced, or its frontend stopped; what was sent before still leaves
 */
export type LinkState = 'pending' | 'attached' | 'active' | 'closing' | 'draining' | 'closed'

/**
 * - `rejected`: by core, for good
 * - `activated`: the frontend's code gets the link
 * - `disconnected`: core's session ended; the frontend did not fail
 * - `dropped`: another link takes its place, or the frontend stopped
 * - `expired`: the grace period is over
 * - `violated`: the frontend violated the protocol
 */
export type LinkEvent =
  | 'attached'
  | 'rejected'
  | 'activated'
  | 'closed'
  | 'disconnected'
  | 'dropped'
  | 'expired'
  | 'violated'

/**
 * - `connect`: hands the frontend's end over; `discard` closes it instead
 * - `replace`: offers another link
 * - `wait`, `linger`: start the grace period of a link that closed, or that is draining; `release` ends it early
 * - `abort`: ends what the link connects
 * - `dismiss`, `fail`: end the frontend's code, which can restart; or the frontend for good
 */
export type LinkEffect =
  | 'connect'
  | 'discard'
  | 'replace'
  | 'wait'
  | 'linger'
  | 'release'
  | 'abort'
  | 'dismiss'
  | 'fail'

type Transition = readonly [LinkState, ...LinkEffect[]]

const REPLACED: Transition = ['closed', 'discard', 'replace']
const RELEASED: Transition = ['closed', 'release']

/** Other events are late, or concern a link that was replaced: they change nothing. */
export const LINK_TRANSITIONS: Readonly<Record<LinkState, Readonly<Partial<Record<LinkEvent, Transition>>>>> = {
  pending: {
    attached: ['attached'],
    rejected: ['closed', 'fail', 'discard'],
    closed: REPLACED,
    disconnected: REPLACED,
    dropped: ['draining', 'discard'],
  },
  attached: {
    activated: ['active', 'connect'],
    // A process has its end from its start.
    violated: ['attached', 'dismiss'],
    closed: REPLACED,
    disconnected: REPLACED,
    dropped: ['draining', 'discard'],
  },
  active: {
    closed: ['closing', 'wait'],
    disconnected: ['closed', 'replace'],
    dropped: ['draining', 'linger'],
    violated: ['active', 'dismiss'],
  },
  closing: {
    disconnected: RELEASED,
    dropped: RELEASED,
    expired: ['closed', 'abort'],
    violated: ['closing', 'dismiss'],
  },
  draining: { closed: RELEASED, disconnected: RELEASED, expired: ['closed', 'abort'] },
  closed: {},
}

export const linkLifecycle = (state: LinkState, event: LinkEvent): Transition =>
  LINK_TRANSITIONS[state][event] ?? [state]

/** One link in the table. Effects that are left out do nothing. */
export class LinkActor {
  state: LinkState = 'pending'

  constructor(readonly effects: Partial<Record<LinkEffect, (error: Error) => void>>) {}

  /** @param error - for `rejected` and `violated` */
  send(event: LinkEvent, error?: Error): void {
    const [state, ...effects] = linkLifecycle(this.state, event)
    this.state = state
    for (const effect of effects) this.effects[effect]?.(error!)
  }
}
