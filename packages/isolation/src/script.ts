// Runs a frontend's script in a Compartment that has the client, a console, timers and JavaScript's built-in objects, and nothing of
// Node. The frontend worker loads this module if its sandbox is `ses`.
import type { FrontendFunctions, FrontendScript, ModuleText, ScriptThread } from '@sallyport/protocol/internal/contract'
import { createCompartment } from './compartment/compartment.js'
import { type ConsoleSink, createConsole } from './compartment/console.js'
import { describeMissingNames } from './compartment/diagnostics.js'
import { lockDown } from './compartment/lockdown.js'
import { createScriptClient } from './ses-frontend/client.js'
import { abortGlobals, createTimers, createUrls } from './ses-frontend/globals.js'
import { explainRejectedScript, hideFrames, readScript, type ScriptSource, toFault } from './ses-frontend/source.js'

/** @throws {BusError} `InvalidParams` if it is not a script */
export async function loadScript(url: string, text?: ModuleText, content?: string): Promise<FrontendScript> {
  const source = await readScript(url, text, content)
  lockDown()
  hideFrames(source)
  let stopTimers = (): void => {}
  return {
    run(functions, thread, fault) {
      const onUncaught = (thrown: unknown): void => fault(toFault(thrown))
      thread.onUncaught(onUncaught)
      const { stop, ...timers } = createTimers(onUncaught, thread.onEnter)
      stopTimers = stop
      return run(source, functions, timers, thread)
    },
    stop: () => stopTimers(),
  }
}

async function run(
  source: ScriptSource,
  functions: FrontendFunctions,
  timers: Record<string, unknown>,
  thread: ScriptThread,
): Promise<void> {
  const log: ConsoleSink = (level, text) =>
    thread.print(level === 'warn' || level === 'error' ? 'stderr' : 'stdout', `${text}\n`)
  const globals = createGlobals(functions, timers, log)
  const warning = describeMissingNames(source.place, source.text, globals)
  if (warning !== undefined) log('warn', warning)
  const compartment = createCompartment('script', globals)
  thread.onEnter?.()
  try {
    await compartment.evaluate(source.program)
  } catch (thrown) {
    throw explainRejectedScript(thrown, source.place) ?? toFault(thrown)
  }
}

function createGlobals(
  functions: FrontendFunctions,
  timers: Record<string, unknown>,
  log: ConsoleSink,
): Record<string, unknown> {
  const sallyport = createScriptClient(functions)
  // SES omits arrays of fractions, because Compartments of one thread could communicate by the bits of a NaN. Scripts of one thread trust
  // each other.
  const numbers = { Float32Array, Float64Array }
  const console = createConsole(log)
  return harden({ ...numbers, ...timers, ...abortGlobals, ...createUrls(), console, sallyport })
}
