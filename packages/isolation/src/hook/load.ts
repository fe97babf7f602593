// Loads the hook of an isolation app into its sandbox.
import type { GateWorkerData } from '@sallyport/protocol/internal'
import type { ConsoleSink } from '../sandbox/console.js'
import { describeMissingNames } from '../sandbox/diagnostics.js'
import { createSandbox } from '../sandbox/hook-sandbox.js'
import { lockDown } from '../sandbox/lockdown.js'
import { loadIsolationApp } from './app.js'
import { createConfirm, type Sleep } from './confirm.js'
import { mentionsEnvelope } from './envelope.js'
import { createHook, findHook, type Hook } from './hook.js'
import type { HookWatch } from './watchdog.js'

export interface HookSource extends Pick<GateWorkerData, 'envelope' | 'confirm'> {
  dir: string
  watch: HookWatch
  sleep: Sleep
  log: ConsoleSink
}

/** @throws {BusError} `InvalidParams` that names the missing or invalid file */
export async function loadHook({ dir, envelope, confirm, watch, sleep, log }: HookSource): Promise<Hook> {
  const app = await loadIsolationApp(dir)
  const misread = envelope ? undefined : app.scripts.find(({ source }) => mentionsEnvelope(source))
  if (misread) {
    log(
      'warn',
      `${misread.name} reads messages as { cmd: 'invoke', message }: set app.security.pattern.options.envelope to true, ` +
        'or it finds nothing to check and lets everything pass',
    )
  }
  for (const { name, source } of app.scripts) {
    const warning = describeMissingNames(name, source)
    if (warning !== undefined) log('warn', warning)
  }
  lockDown()
  const sandbox = createSandbox({ console: log, confirm: createConfirm(confirm?.port, confirm?.answer, watch, sleep) })
  watch.enter()
  sandbox.run(app.scripts)
  return createHook(findHook(sandbox, app), { envelope })
}
