// The life of one frontend, in two regions that share their events: its stage, as far as the host has led it, and its code, as core
// and the other frontends know it. The links of the code have a table of their own. The tables are pure. `FrontendHandle` implements
// the effects.

/**
 * - `opening`: core and the gate have not accepted it yet
 * - `ready`: they have, and the opener has not let the code start
 * - `started`: the code gets each link that core has taken
 * - `closing`: the host ends the frontend, which is then not to blame if core fails
 */
export type FrontendStage = 'opening' | 'ready' | 'started' | 'closing'

/**
 * - `unlinked`: core has not been offered a link since the code stopped, and expects none
 * - `restarting`: the code stopped and starts again soon, so core expects a link
 * - `offered`: core was offered a link; a later one can be offered in its place
 * - `announced`: the others know the code, which runs already and waits for its gate
 * - `running`: the code has got a link, and the others know it
 * - `exited`: the code has exited for good
 */
export type CodeState = 'unlinked' | 'restarting' | 'offered' | 'announced' | 'running' | 'exited'

/**
 * - `offered`: a link was offered to core
 * - `announced`: core took the link of code that runs already, and announces the code
 * - `linked`: core has the link, and the gate is ready
 * - `started`: the opener lets the code start
 * - `activated`: the code gets the link
 * - `stopped`, `restarting`, `exited`: the code stopped: until something starts it, for a moment, or for good
 * - `closed`: the host ends the frontend
 */
export type FrontendEvent =
  | 'offered'
  | 'announced'
  | 'linked'
  | 'started'
  | 'activated'
  | 'stopped'
  | 'restarting'
  | 'exited'
  | 'closed'

/**
 * - `open`: resolves `ready`
 * - `begin`: lets core announce the code
 * - `end`, `forget`: core drops the code, which the others know or not
 */
export type FrontendEffect = 'open' | 'begin' | 'end' | 'forget'

type Row<State> = Readonly<Partial<Record<FrontendEvent, readonly [State, ...FrontendEffect[]]>>>

/** Other events change nothing. */
export const STAGE_TRANSITIONS: Readonly<Record<FrontendStage, Row<FrontendStage>>> = {
  opening: { linked: ['ready', 'open'], closed: ['closing'] },
  ready: { started: ['started'], closed: ['closing'] },
  started: { closed: ['closing'] },
  closing: {},
}

/** Other events change nothing. */
export const CODE_TRANSITIONS: Readonly<Record<CodeState, Row<CodeState>>> = {
  unlinked: { offered: ['offered'], restarting: ['restarting'], exited: ['exited'] },
  restarting: {
    offered: ['offered'],
    restarting: ['restarting', 'forget'],
    // Core is informed, too, that the restart that it expects does not come.
    stopped: ['unlinked', 'forget'],
    exited: ['exited', 'forget'],
  },
  offered: {
    announced: ['announced'],
    activated: ['running', 'begin'],
    restarting: ['restarting', 'forget'],
    stopped: ['unlinked', 'forget'],
    exited: ['exited', 'forget'],
  },
  announced: {
    activated: ['running'],
    restarting: ['restarting', 'end'],
    stopped: ['unlinked', 'end'],
    exited: ['exited', 'end'],
  },
  running: { restarting: ['restarting', 'end'], stopped: ['unlinked', 'end'], exited: ['exited', 'end'] },
  exited: {},
}

export class FrontendLife {
  stage: FrontendStage = 'opening'
  code: CodeState = 'unlinked'

  constructor(readonly effects: Readonly<Record<FrontendEffect, () => void>>) {}

  /** True if the others know the code. */
  get hasBegun(): boolean {
    return this.code === 'announced' || this.code === 'running'
  }

  /** True if core has been offered a link since the code last stopped. */
  get isKnown(): boolean {
    return this.code === 'offered' || this.hasBegun
  }

  send(event: FrontendEvent): void {
    const [stage, ...stageEffects] = STAGE_TRANSITIONS[this.stage][event] ?? [this.stage]
    const [code, ...codeEffects] = CODE_TRANSITIONS[this.code][event] ?? [this.code]
    this.stage = stage
    this.code = code
    for (const effect of [...stageEffects, ...codeEffects]) this.effects[effect]()
  }
}
