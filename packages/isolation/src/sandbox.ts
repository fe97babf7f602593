// The sandbox that a hook lives in: SES freezes this thread's shared JavaScript objects, and a Compartment gives the
// app's scripts a `window` with a console and `confirm`, and nothing of Node. Import it in an isolation thread only.
import 'ses'
import { types } from 'node:util'
import { BusError } from '@sallyport/protocol'
import type { IsolationScript } from './app.js'
import { createConsole, type ConsoleSink } from './sandbox-console.js'
import { freezeNodeErrors } from './sandbox-node-errors.js'
import { explainRefusal, HOOK_NAME, joinScripts, TURN_NAME } from './sandbox-source.js'
import { warmUp } from './sandbox-warm-up.js'

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

let locked = false

/**
 * Locks this thread's JavaScript down, for good; a second call does nothing. Every option is given, so that no
 * environment variable (`LOCKDOWN_…`) can weaken one.
 */
export function lockDown(): void {
  if (locked) return
  warmUp()
  lockdown({
    // The gate's own errors keep their stacks; a hook may see which frames called it, and nothing it could use.
    errorTaming: 'unsafe',
    stackFiltering: 'verbose',
    // Node keeps its console, its handling of errors and its exit code.
    consoleTaming: 'unsafe',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    // Plain scripts assign `x.constructor`, `counts.toString`: as an own property, as anywhere else.
    overrideTaming: 'severe',
    overrideDebug: [],
    legacyRegeneratorRuntimeTaming: 'safe',
    domainTaming: 'safe',
    evalTaming: 'safe-eval',
    localeTaming: 'safe',
    regExpTaming: 'safe',
    __hardenTaming__: 'safe',
  })
  freezeNodeErrors()
  locked = true
}

/** A new sandbox with its own `window`. Call `lockDown` first. */
export function createSandbox(options: SandboxOptions): Sandbox {
  if (!locked) throw new BusError('InternalError', 'A sandbox needs lockDown() first')
  const compartment = new Compartment({ __options__: true, name: 'isolation-app', globals: globalsOf(options) })
  const window = compartment.globalThis as Record<string, unknown>
  fixGlobals(window)
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
          explainRefusal(message, program) ??
          (turn === undefined ? `the scripts do not run together: ${message}` : `${turn} threw: ${message}`)
        throw new BusError('InvalidParams', `Isolation app: ${problem}`)
      } finally {
        delete window[TURN_NAME]
      }
    },
    readHook: () => (HOOK_NAME in window ? window[HOOK_NAME] : readHook()),
  }
}

function globalsOf(options: SandboxOptions): Record<string, unknown> {
  const console = createConsole(options.console)
  for (const method of Object.values(console)) harden(method)
  // SES's own Date and Math have no clock and no random numbers; plain scripts expect both, and they give no power.
  return { console, confirm: harden((message?: unknown) => options.confirm(message)), Date, Math }
}

/**
 * JavaScript's own names become constants. The evaluator then binds them once; a name that may change is looked up
 * through its scope objects at every use (measured: 250 ns against 16 ns for a hook that uses three of them).
 */
function fixGlobals(window: Record<string, unknown>): void {
  for (const name of ['lockdown', 'Compartment']) delete window[name]
  Object.defineProperties(window, { window: { value: window }, self: { value: window } })
  for (const name of Object.getOwnPropertyNames(window)) {
    if (name === 'console' || name === 'confirm') continue
    Object.defineProperty(window, name, { writable: false, configurable: false })
  }
}

/** Of what a script threw while it loaded: an error's own text, read without running a getter. */
function messageOf(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? thrown : 'something that is not an Error'
  const message: unknown = Object.getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' ? message : 'an Error without a message'
}
