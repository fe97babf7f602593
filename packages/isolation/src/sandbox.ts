// The sandbox that a hook lives in: a Compartment gives the app's scripts a `window` with a console and `confirm`, and
// nothing of Node. Import it in an isolation thread only.
import { types } from 'node:util'
import { BusError } from '@sallyport/protocol'

import { createCompartment } from './compartment.js'
import { createConsole, type ConsoleSink } from './sandbox-console.js'
import { explainRefusal } from './sandbox-refusal.js'
import { HOOK_NAME, joinScripts, TURN_NAME } from './sandbox-source.js'

export interface SandboxOptions {
  /** Takes what the scripts log. */
  console: ConsoleSink
  /** `confirm` of the scripts: see `createConfirm`. */
  confirm(message?: unknown): boolean
}

export interface Sandbox {
  /** The scripts' global object: `window`, `self` and `globalThis` in there. */
  readonly window: object
  /**
   * Runs the app's scripts, once, in order, in one scope: a top-level name of one is seen by the next.
   *
   * @throws BusError `InvalidParams` that names the script: it threw, or SES refuses its text.
   */
  run(scripts: readonly IsolationScript[]): void
  /** What the scripts have left as the hook, unchecked: see `findHook`. */
  readHook(): unknown
}

/** A new sandbox with its own `window`. Call `lockDown` first. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const compartment = createCompartment('isolation-app', {}, globalsOf(options))
  const window = compartment.globalThis
  Object.defineProperties(window, { window: { value: window }, self: { value: window } })
  let readHook = (): unknown => undefined
  return {
    window,
    run(scripts) {
      const program = joinScripts(scripts)
      let turn: string | undefined
      window[TURN_NAME] = harden((index: number): void => void (turn = scripts[index]?.name))
      try {
        // Sloppy: a name that is assigned but not declared becomes a property of `window`, as in a classic script.
        readHook = compartment.evaluate(program.source, { sloppyGlobalsMode: true }) as () => unknown
      } catch (thrown) {
        const message = messageOf(thrown)
        const problem =
          explainRefusal(message, program.locate) ??
          (turn === undefined ? `the scripts do not run together: ${message}` : `${turn} threw: ${message}`)
        throw new BusError('InvalidParams', `Isolation app: ${problem}`)
      } finally {
        delete window[TURN_NAME]
      }
    },
    readHook: () => (HOOK_NAME in window ? window[HOOK_NAME] : readHook()),
  }
}

/** A script may put others in their place. */
function globalsOf(options: SandboxOptions): Record<string, unknown> {
  const console = createConsole(options.console)
  for (const method of Object.values(console)) harden(method)
  return { console, confirm: harden((message?: unknown) => options.confirm(message)) }
}

/** Of what a script threw while it loaded: an error's own text, read without running a getter. */
function messageOf(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? thrown : 'something that is not an Error'
  const message: unknown = Object.getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' ? message : 'an Error without a message'
}

/** A classic script. `name` is for messages: `index.js`, or `index.html:inline#1`. */
export interface IsolationScript {
  readonly name: string
  readonly source: string
}
