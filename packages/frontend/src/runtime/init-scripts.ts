// The scripts of core's plugins, which run once Tauri's globals are installed: where they wait, and how they run.
import { compileFunction, runInThisContext } from 'node:vm'
import type { InitScript } from '@sallyport/protocol/internal/contract'

type Scripts = readonly InitScript[]

/** A registered symbol: another copy of this package finds the scripts, too. */
const SCRIPTS: unique symbol = Symbol.for('@sallyport/frontend:scripts')

/** @param holder - whose calls Tauri's globals make: those of this thread, or a client of the host */
export function setInitScripts(holder: object, getScripts: () => Scripts): void {
  Object.defineProperty(holder, SCRIPTS, { get: getScripts, configurable: true })
}

/** Runs the scripts of the holder. Returns a function that gives the window back what they have changed. @throws what a script throws */
export function runInitScripts(holder: object, window: object): () => void {
  const scripts = (holder as { [SCRIPTS]?: Scripts })[SCRIPTS] ?? []
  if (scripts.length === 0) return () => {}
  const before: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(window)
  const listChanged = (): PropertyKey[] =>
    Reflect.ownKeys(window).filter(key => !isSame(before[key], getOwn(window, key)))
  const restore = (changed: readonly PropertyKey[]): void => {
    for (const key of changed) {
      if (before[key]) Object.defineProperty(window, key, before[key])
      else Reflect.deleteProperty(window, key)
    }
  }
  try {
    for (const script of scripts) run(script, window)
  } catch (error) {
    restore(listChanged())
    throw error
  }
  // Not what the program itself changes later.
  const changed = listChanged()
  return () => restore(changed)
}

function run({ name, source }: InitScript, window: object): void {
  const filename = `plugin:${name}`
  if (window === globalThis) runInThisContext(source, { filename })
  else compileFunction(source, ['window', 'self', 'globalThis'], { filename }).call(window, window, window, window)
}

const getOwn = (window: object, key: PropertyKey): PropertyDescriptor =>
  Object.getOwnPropertyDescriptor(window, key) ?? {}

const isSame = (before: PropertyDescriptor = {}, after: PropertyDescriptor): boolean =>
  before.value === after.value && before.get === after.get && before.set === after.set
