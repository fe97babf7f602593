// The sandbox of a hook: a Compartment whose `window` has a console and `confirm`, and nothing of Node. Only for isolation threads.
import { types } from 'node:util'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type ConsoleSink, createConsole } from './console.js'
import { explainRefusal } from './diagnostics.js'
import { isLockedDown } from './lockdown.js'

export const HOOK_NAME = '__TAURI_ISOLATION_HOOK__'
/** A function of the sandbox while it loads: each script calls it first with its index. */
const MARKER_NAME = '__sallyport_script__'

/**
 * Joins an app's scripts into one program, because classic scripts share their top-level names. The program's value is a function
 * that reads the hook: a top-level `function __TAURI_ISOLATION_HOOK__` is a property of `window` in a browser, but not in a Compartment.
 * `locate` returns the script and the line there of a line of the program. Lines count from 1.
 */
function joinScripts(scripts: readonly IsolationScript[]): { source: string; locate(line: number): string } {
  let source = ''
  const starts: { name: string; line: number }[] = []
  scripts.forEach(({ name, source: code }, index) => {
    if (index > 0) source += '\n'
    starts.push({ name, line: source.split('\n').length })
    source += `;${MARKER_NAME}(${index});${code}`
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

export class HookSandbox {
  /** The scripts' global object: their `window`, `self` and `globalThis`. */
  readonly window: Record<string, unknown>
  readonly #compartment: SandboxCompartment
  #readHook = (): unknown => undefined

  /** `lockDown` must be called before. */
  constructor(options: { console: ConsoleSink; confirm(message?: unknown): boolean }) {
    const console = createConsole(options.console)
    for (const method of Object.values(console)) harden(method)
    const confirm = harden((message?: unknown) => options.confirm(message))
    // A script can replace these globals of Node's side.
    this.#compartment = createCompartment('isolation-app', {}, { console, confirm })
    const window = (this.window = this.#compartment.globalThis)
    Object.defineProperties(window, { window: { value: window }, self: { value: window } })
  }

  /** Runs the app's scripts, once, in order, in one scope: each sees the top-level names of those before. */
  run(scripts: readonly IsolationScript[]): void {
    const program = joinScripts(scripts)
    let current: string | undefined
    this.window[MARKER_NAME] = harden((index: number): void => void (current = scripts[index]?.name))
    try {
      // An assigned name that is not declared becomes a property of `window`, as in a classic script.
      this.#readHook = this.#compartment.evaluate(program.source, { sloppyGlobalsMode: true }) as () => unknown
    } catch (thrown) {
      const message = getMessage(thrown)
      const problem =
        explainRefusal(message, program.locate) ??
        (current === undefined ? `the scripts do not run together: ${message}` : `${current} threw: ${message}`)
      throw new BusError('InvalidParams', `Isolation app: ${problem}`)
    } finally {
      delete this.window[MARKER_NAME]
    }
  }

  /** Returns the hook that the scripts have set, unchecked: see `findHook`. */
  readHook(): unknown {
    return HOOK_NAME in this.window ? this.window[HOOK_NAME] : this.#readHook()
  }
}

/** Returns the message of a value that a script threw, without running a getter. */
function getMessage(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? thrown : 'something that is not an Error'
  const message: unknown = Object.getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' ? message : 'an Error without a message'
}

export interface IsolationScript {
  /** The name in error texts: `index.js`, or `index.html:inline#1`. */
  readonly name: string
  readonly source: string
}

interface SandboxCompartment {
  readonly globalThis: Record<string, unknown>
  evaluate(source: string, options?: { sloppyGlobalsMode?: boolean }): unknown
}

/**
 * Creates a Compartment. `lockDown` must be called before.
 *
 * JavaScript's built-in names and the `fixed` globals become constants, which the evaluator binds once. Other names are resolved
 * through its scope objects at every use: a hook that uses three of them takes 250 ns instead of 16 ns.
 */
function createCompartment(
  name: string,
  fixed: Record<string, unknown>,
  replaceable: Record<string, unknown> = {},
): SandboxCompartment {
  if (!isLockedDown()) throw new BusError('InternalError', 'A sandbox needs lockDown() first')
  // SES's own Date and Math have no clock and no random numbers. Plain scripts expect both, and they give no access to anything.
  const globals = { Date, Math, ...fixed, ...replaceable }
  const compartment = new Compartment({ __options__: true, name, globals, transforms: [rejectImportPhases] })
  const compartmentGlobal: Record<string, unknown> = compartment.globalThis
  for (const removed of ['lockdown', 'Compartment']) delete compartmentGlobal[removed]
  for (const key of Object.getOwnPropertyNames(compartmentGlobal)) {
    if (!Object.hasOwn(replaceable, key))
      Object.defineProperty(compartmentGlobal, key, { writable: false, configurable: false })
  }
  return compartment as unknown as SandboxCompartment
}

const IMPORT_PHASE = /(?:^|[^.]|\.\.\.)\bimport\s*\.(?!\s*meta\b)/

/**
 * Rejects `import.source(…)` and `import.defer(…)`, which load modules like `import(…)`. SES 2.3 only rejects the latter: on Node 24
 * and 26, `import.source` reads WebAssembly files, and returns objects that are not frozen. The text is checked, as SES does.
 */
function rejectImportPhases(source: string): string {
  const match = IMPORT_PHASE.exec(source)
  if (!match) return source
  const line = source.slice(0, match.index + match[0].length).split('\n').length
  throw new SyntaxError(`Possible import expression rejected at the script:${line}. (SES_IMPORT_REJECTED)`)
}
