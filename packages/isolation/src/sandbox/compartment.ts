// A Compartment: JavaScript's own objects, shared and frozen, and on top of them what it is given. Hooks and frontend
// scripts each live in one.
import { BusError } from '@sallyport/protocol'
import { isLockedDown } from './lockdown.js'

export interface SandboxCompartment {
  readonly globalThis: Record<string, unknown>
  evaluate(source: string, options?: { sloppyGlobalsMode?: boolean }): unknown
}

/**
 * A new Compartment. Call `lockDown` first.
 *
 * JavaScript's own names and `fixed` become constants. The evaluator then binds them once; a name that may change is looked
 * up through its scope objects at every use (measured: 250 ns against 16 ns for a hook that uses three of them).
 */
export function createCompartment(
  name: string,
  fixed: Record<string, unknown>,
  replaceable: Record<string, unknown> = {},
): SandboxCompartment {
  if (!isLockedDown()) throw new BusError('InternalError', 'A sandbox needs lockDown() first')
  // SES's own Date and Math have no clock and no random numbers; plain scripts expect both, and they give no power.
  const globals = { Date, Math, ...fixed, ...replaceable }
  const compartment = new Compartment({ __options__: true, name, globals, transforms: [rejectImportPhases] })
  const own = compartment.globalThis as Record<string, unknown>
  for (const absent of ['lockdown', 'Compartment']) delete own[absent]
  for (const key of Object.getOwnPropertyNames(own)) {
    if (!Object.hasOwn(replaceable, key)) Object.defineProperty(own, key, { writable: false, configurable: false })
  }
  return compartment as unknown as SandboxCompartment
}

const PHASE = /(?:^|[^.]|\.\.\.)\bimport\s*\.(?!\s*meta\b)/

/**
 * `import.source(…)` and `import.defer(…)` load like `import(…)`, which SES refuses; of these it does not know (measured with
 * 2.3: on Node 24 and 26 the first reads WebAssembly files, and gives objects that nobody has frozen). As SES does, by text.
 */
function rejectImportPhases(source: string): string {
  const found = PHASE.exec(source)
  if (!found) return source
  const line = source.slice(0, found.index + found[0].length).split('\n').length
  throw new SyntaxError(`Possible import expression rejected at the script:${line}. (SES_IMPORT_REJECTED)`)
}
