// `#platform` for scripts in a VM of QuickJS: what the web has, and the error texts of Node. A VM has no async contexts.
import type { AsyncContext } from './platform.js'

export * from './platform.browser.js'

export const IS_NODE: boolean = true

const NO_CONTEXT: AsyncContext = { runInAsyncScope: (run, self, ...args) => Reflect.apply(run, self, args) }
export const captureContext = (): AsyncContext => NO_CONTEXT
export const createEmptyContext = (): AsyncContext => NO_CONTEXT
export const withoutContext = <T>(run: () => T): T => run()

/** One character for each byte, as in Latin-1. */
export const readLatin1 = (bytes: Uint8Array, size: number): string =>
  new TextDecoder('latin1').decode(bytes.subarray(0, size))
