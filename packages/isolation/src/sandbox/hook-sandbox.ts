// The sandbox of a hook: a Compartment whose `window` has a console and `confirm`, and nothing of Node. Import it only in an
// isolation thread.
import { types } from 'node:util'
import { BusError } from '@sallyport/protocol/internal'
import { createCompartment } from './compartment.js'
import { type ConsoleSink, createConsole } from './console.js'
import { explainRefusal } from './diagnostics.js'

export const HOOK_NAME = '__TAURI_ISOLATION_HOOK__'
/** A function of the sandbox while it loads: each script calls it first with its index. */
const MARKER_NAME = '__sallyport_script__'

interface Program {
  readonly source: string
  /** Returns the script and the line there of a line of the program. Lines count from 1. */
  locate(line: number): string
}

/**
 * Joins an app's scripts into one program, because classic scripts share their top-level names. The program's value is a function
 * that reads the hook: a top-level `function __TAURI_ISOLATION_HOOK__` is a property of `window` in a browser, but not in a Compartment.
 */
function joinScripts(scripts: readonly IsolationScript[]): Program {
  let source = ''
  let lines = 1
  const starts: { name: string; line: number }[] = []
  scripts.forEach(({ name, source: code }, index) => {
    const head = `${index === 0 ? '' : '\n'};${MARKER_NAME}(${index});`
    lines += index === 0 ? 0 : 1
    starts.push({ name, line: lines })
    source += head + code
    lines += code.split('\n').length - 1
  })
  source += `\n;() => (typeof ${HOOK_NAME} === 'undefined' ? undefined : ${HOOK_NAME})`
  source += `\n//# sourceURL=isolation-app/${scripts.length === 1 ? scripts[0]?.name : 'scripts'}`
  return {
    source,
    locate: line => {
      const script = starts.findLast(start => start.line <= line)
      return script ? `${script.name}:${line - script.line + 1}` : 'the scripts'
    },
  }
}

export interface SandboxOptions {
  /** Receives the scripts' log lines. */
  console: ConsoleSink
  /** The scripts' `confirm`. */
  confirm(message?: unknown): boolean
}

export interface Sandbox {
  /** The scripts' global object: their `window`, `self` and `globalThis`. */
  readonly window: object
  /**
   * Runs the app's scripts, once, in order, in one scope: each sees the top-level names of those before.
   *
   * @throws {BusError} `InvalidParams` that names the script if a script throws, or SES refuses its text
   */
  run(scripts: readonly IsolationScript[]): void
  /** Returns the hook that the scripts have set, unchecked: see `findHook`. */
  readHook(): unknown
}

/** Creates a sandbox with its own `window`. `lockDown` must be called before. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const compartment = createCompartment('isolation-app', {}, createGlobals(options))
  const window = compartment.globalThis
  Object.defineProperties(window, { window: { value: window }, self: { value: window } })
  let readHook = (): unknown => undefined
  return {
    window,
    run(scripts) {
      const program = joinScripts(scripts)
      let current: string | undefined
      window[MARKER_NAME] = harden((index: number): void => void (current = scripts[index]?.name))
      try {
        // An assigned name that is not declared becomes a property of `window`, as in a classic script.
        readHook = compartment.evaluate(program.source, { sloppyGlobalsMode: true }) as () => unknown
      } catch (thrown) {
        const message = getMessage(thrown)
        const problem =
          explainRefusal(message, program.locate) ??
          (current === undefined ? `the scripts do not run together: ${message}` : `${current} threw: ${message}`)
        throw new BusError('InvalidParams', `Isolation app: ${problem}`)
      } finally {
        delete window[MARKER_NAME]
      }
    },
    readHook: () => (HOOK_NAME in window ? window[HOOK_NAME] : readHook()),
  }
}

/** The globals of Node's side. A script can replace them. */
function createGlobals(options: SandboxOptions): Record<string, unknown> {
  const console = createConsole(options.console)
  for (const method of Object.values(console)) harden(method)
  return { console, confirm: harden((message?: unknown) => options.confirm(message)) }
}

/** Returns the message of a value that a script threw, without running a getter. */
function getMessage(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? thrown : 'something that is not an Error'
  const message: unknown = Object.getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' ? message : 'an Error without a message'
}

/** A classic script. */
export interface IsolationScript {
  /** The name in error texts: `index.js`, or `index.html:inline#1`. */
  readonly name: string
  readonly source: string
}
