// Runs a frontend's script in a Compartment that has the client, a console, timers and JavaScript's built-in objects, and nothing of
// Node. The frontend worker loads this module if its sandbox is `ses`.
import type { FrontendFunctions, FrontendScript, ModuleText } from '@sallyport/protocol/internal'
import { createCompartment } from './sandbox/compartment.js'
import { type ConsoleSink, createConsole } from './sandbox/console.js'
import { describeMissingNames } from './sandbox/diagnostics.js'
import { lockDown } from './sandbox/lockdown.js'
import { createScriptClient } from './ses-frontend/client.js'
import { abortGlobals, createTimers, createUrls } from './ses-frontend/globals.js'
import { explainRejectedScript, hideFrames, readScript, type ScriptSource, toFault } from './ses-frontend/source.js'

/** @throws {BusError} `InvalidParams` if it is not a script */
export async function loadScript(url: string, text?: ModuleText): Promise<FrontendScript> {
  const source = await readScript(url, text)
  lockDown()
  hideFrames(source.offset)
  return { run: (functions, fault) => run(source, functions, fault) }
}

async function run(source: ScriptSource, functions: FrontendFunctions, fault: (error: Error) => void): Promise<void> {
  // Node would print thrown values, and call their methods with functions of its own.
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (thrown: unknown) => fault(toFault(thrown)))
  }
  const globals = createGlobals(functions)
  const warning = describeMissingNames(source.place, source.text, globals)
  if (warning !== undefined) log('warn', warning)
  const compartment = createCompartment('script', globals)
  try {
    await compartment.evaluate(source.program)
  } catch (thrown) {
    throw explainRejectedScript(thrown, source.place) ?? toFault(thrown)
  }
}

function createGlobals(functions: FrontendFunctions): Record<string, unknown> {
  const sallyport = createScriptClient(functions)
  // SES omits arrays of fractions, because Compartments of one thread could communicate by the bits of a NaN. This thread has only one.
  const numbers = { Float32Array, Float64Array }
  const console = createConsole(log)
  return harden({ ...numbers, ...createTimers(), ...abortGlobals, ...createUrls(), console, sallyport })
}

/** Writes to standard output and error, which go to the host's log. */
const log: ConsoleSink = (level, text) => {
  const stream = level === 'warn' || level === 'error' ? process.stderr : process.stdout
  stream.write(`${text}\n`)
}
