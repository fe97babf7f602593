// Loads the hook of an isolation app into its sandbox, with the synchronous `confirm` of a browser.
import {
  CONFIRM_WORD,
  type ConfirmRequest,
  type GateWorkerData,
  toConfirmText,
} from '@sallyport/protocol/internal/contract'
import type { ConsoleSink } from '../compartment/console.js'
import { describeMissingNames } from '../compartment/diagnostics.js'
import { HookSandbox } from '../compartment/hook-sandbox.js'
import { lockDown } from '../compartment/lockdown.js'
import { loadIsolationApp } from './isolation-app.js'
import { createHook, findHook, type Hook, mentionsLegacyMessages } from './hook.js'
import type { HookWatch } from './hook-watch.js'

export interface HookSource extends Pick<GateWorkerData, 'legacyMessages' | 'confirm'> {
  dir: string
  watch: HookWatch
  /** Runs a function that blocks the thread, without a heartbeat being missed. */
  sleep: <T>(block: () => T) => T
  log: ConsoleSink
}

/** @throws {BusError} `InvalidParams` that names the missing or invalid file */
export async function loadHook({ dir, legacyMessages, confirm, watch, sleep, log }: HookSource): Promise<Hook> {
  const app = await loadIsolationApp(dir)
  const misread = legacyMessages ? undefined : app.scripts.find(({ source }) => mentionsLegacyMessages(source))
  if (misread) {
    log(
      'warn',
      `${misread.name} reads messages as { cmd: 'invoke', message }: set the isolation option "legacyMessages" to true, ` +
        'or it finds nothing to check and lets everything pass',
    )
  }
  for (const { name, source } of app.scripts) {
    const warning = describeMissingNames(name, source)
    if (warning !== undefined) log('warn', warning)
  }
  lockDown()
  const sandbox = new HookSandbox({ console: log, confirm: createConfirm({ confirm, watch, sleep }) })
  watch.enter()
  sandbox.run(app.scripts)
  return createHook(findHook(sandbox, app), { legacyMessages })
}

/**
 * Creates a `confirm` that asks the host over a port. It blocks this thread until the host has written the answer to a shared counter,
 * without a timeout of its own: when the host stops waiting, it answers `no`, or terminates the thread. Without a port, or if the
 * port fails, the answer is `false`.
 */
export function createConfirm(source: Pick<HookSource, 'confirm' | 'watch' | 'sleep'>): (message?: unknown) => boolean {
  const { confirm, watch, sleep } = source
  if (confirm === undefined) return () => false
  const answer = new Int32Array(confirm.answer)
  return message => {
    try {
      const request: ConfirmRequest = { type: 'confirm', text: toConfirmText(message) }
      Atomics.store(answer, 0, CONFIRM_WORD.waiting)
      confirm.port.postMessage(request)
      // The hook does not hang while a person decides.
      watch.rest()
      sleep(() => Atomics.wait(answer, 0, CONFIRM_WORD.waiting))
      watch.enter()
      return Atomics.load(answer, 0) === CONFIRM_WORD.yes
    } catch {
      return false
    }
  }
}
