// Scripts of core's plugins, which run in this thread once Tauri's globals are installed.
import type { InitScript } from '@sallyport/protocol/internal/contract'

/** A registered symbol: the scripts are found by another copy of this package too. */
const SCRIPTS: unique symbol = Symbol.for('@sallyport/frontend:scripts')
type Holder = { [SCRIPTS]?: readonly InitScript[] }

export function setInitScripts(scripts: readonly InitScript[]): void {
  Object.defineProperty(globalThis, SCRIPTS, { value: scripts, configurable: true })
}

export const getInitScripts = (): readonly InitScript[] => (globalThis as Holder)[SCRIPTS] ?? []
