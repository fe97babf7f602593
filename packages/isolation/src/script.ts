// Runs a frontend's module as a script in a Compartment: with the client, a console, timers and JavaScript's own objects, and
// nothing of Node. The frontend worker loads this where its sandbox is `ses`.
import type { FrontendFunctions, FrontendScript } from '@sallyport/protocol'
import { createCompartment } from './sandbox/compartment.js'
import { type ConsoleSink, createConsole } from './sandbox/console.js'
import { absentNames } from './sandbox/diagnostics.js'
import { lockDown } from './sandbox/lockdown.js'
import { createScriptClient } from './ses-frontend/client.js'
import { abortGlobals, createTimers, createUrls } from './ses-frontend/globals.js'
import { explainRefused, hideFrames, readScript, type ScriptSource, toFault } from './ses-frontend/source.js'

/** @throws BusError `InvalidParams` for what is no script */
export async function loadScript(url: string): Promise<FrontendScript> {
  const source = await readScript(url)
  lockDown()
  hideFrames()
  return { run: (functions, fault) => run(source, functions, fault) }
}

async function run(source: ScriptSource, functions: FrontendFunctions, fault: (error: Error) => void): Promise<void> {
  // Node would show what was thrown, and run what it finds in there, with its own functions at hand.
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (thrown: unknown) => fault(toFault(thrown)))
  }
  const globals = getGlobals(functions)
  const absent = absentNames(source.text, globals)
  if (absent.length > 0)
    log('warn', `${source.place} uses ${absent.join(', ')}: the sandbox has none, and reads undefined`)
  const compartment = createCompartment('script', globals)
  try {
    await compartment.evaluate(source.program)
  } catch (thrown) {
    throw explainRefused(thrown, source.place) ?? toFault(thrown)
  }
}

function getGlobals(functions: FrontendFunctions): Record<string, unknown> {
  const sallyport = createScriptClient(functions)
  // Compartments that share a thread could tell each other something by the bits of a NaN: here there is one.
  const numbers = { Float32Array, Float64Array }
  return harden({
    ...numbers,
    ...createTimers(),
    ...abortGlobals,
    ...createUrls(),
    console: createConsole(log),
    sallyport,
  })
}

/** Standard output and error are the host's log. */
const log: ConsoleSink = (level, text) => {
  const stream = level === 'warn' || level === 'error' ? process.stderr : process.stdout
  stream.write(`${text}\n`)
}
