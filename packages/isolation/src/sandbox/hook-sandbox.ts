// The sandbox that a hook lives in: a Compartment gives the app's scripts a `window` with a console and `confirm`, and
// nothing of Node. Import it in an isolation thread only.
import { types } from 'node:util'
import { BusError } from '@sallyport/protocol'
import { createCompartment } from './compartment.js'
import { type ConsoleSink, createConsole } from './console.js'
import { explainRefusal } from './diagnostics.js'

// Makes one program of an app's scripts. Classic scripts share their top-level names, so they are evaluated in one
// scope; what this loses (which script a line belongs to) is given back here, for messages.

export const HOOK_NAME = '__TAURI_ISOLATION_HOOK__'
/** A function of the sandbox, while it loads: each script says that its turn has come. */
const TURN_NAME = '__sallyport_turn__'

export interface Program {
  readonly source: string
  /** Which script a line of the program (from 1) belongs to, and its line there. */
  locate(line: number): string
}

/**
 * The program's value is a function that reads the hook: a top-level `function __TAURI_ISOLATION_HOOK__` is a property
 * of `window` in a browser, but not in a Compartment.
 */
function joinScripts(scripts: readonly IsolationScript[]): Program {
  let source = ''
  let lines = 1
  const starts: { name: string; line: number }[] = []
  scripts.forEach(({ name, source: text }, index) => {
    const head = `${index === 0 ? '' : '\n'};${TURN_NAME}(${index});`
    lines += index === 0 ? 0 : 1
    starts.push({ name, line: lines })
    source += head + text
    lines += text.split('\n').length - 1
  })
  source += `\n;() => (typeof ${HOOK_NAME} === 'undefined' ? undefined : ${HOOK_NAME})`
  source += `\n//# sourceURL=isolation-app/${scripts.length === 1 ? scripts[0]?.name : 'scripts'}`
  return {
    source,
    locate: line => {
      const found = starts.findLast(start => start.line <= line)
      return found ? `${found.name}:${line - found.line + 1}` : 'the scripts'
    },
  }
}

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
  const compartment = createCompartment('isolation-app', {}, getGlobals(options))
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
        const message = getMessage(thrown)
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
function getGlobals(options: SandboxOptions): Record<string, unknown> {
  const console = createConsole(options.console)
  for (const method of Object.values(console)) harden(method)
  return { console, confirm: harden((message?: unknown) => options.confirm(message)) }
}

/** Of what a script threw while it loaded: an error's own text, read without running a getter. */
function getMessage(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? thrown : 'something that is not an Error'
  const message: unknown = Object.getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' ? message : 'an Error without a message'
}

/** A classic script. `name` is for messages: `index.js`, or `index.html:inline#1`. */
export interface IsolationScript {
  readonly name: string
  readonly source: string
}
