// Logs what the close of a bus waits for: the calls that core still runs, then the workers that have not ended.
import { every } from '@sallyport/protocol/internal/contract'
import type { Measurement } from '../../contract/host-core.js'
import type { Supervisor } from '../life/supervisor.js'
import type { HostLog } from './log.js'

/** Half of the default timeout of `close`, so that calls are named before they are cut off. */
const INTERVAL_MS = 500

/** Logs each worker and each kind of call once. Returns a function that ends this. */
export function watchPendingClose(
  core: { measure(): Promise<Measurement | undefined> },
  supervisor: Supervisor,
  log: HostLog,
): () => void {
  const reported = new Set<string>()
  let wasIdle = false
  const report = async (): Promise<void> => {
    const { running: calls = [] } = (await core.measure()) ?? {}
    const names = supervisor.workerNames
    const workers = names.includes('core') ? ['core'] : names
    // Core and the others end within moments of the last call.
    const isEnding = calls.length === 0 && !wasIdle
    wasIdle = calls.length === 0
    const pending = calls.length > 0 ? calls.map(({ label, command }) => JSON.stringify([label, command])) : workers
    if (isEnding || supervisor.state === 'stopped' || pending.every(each => reported.has(each))) return
    for (const each of pending) reported.add(each)
    log.warn({ workers, calls }, 'closing')
  }
  return every(INTERVAL_MS, () => void report())
}
