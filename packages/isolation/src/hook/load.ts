// From an isolation app's folder to a hook that is ready to judge.
import type { GateWorkerData } from '@sallyport/protocol'
import type { ConsoleSink } from '../sandbox/console.js'
import { absentNames } from '../sandbox/diagnostics.js'
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
  /** Runs what blocks this thread for a good reason. */
  asleep: Sleep
  log: ConsoleSink
}

/** @throws BusError `InvalidParams`, which names the file that is missing or wrong. */
export async function loadHook({ dir, envelope, confirm, watch, asleep, log }: HookSource): Promise<Hook> {
  const app = await loadIsolationApp(dir)
  const missed = envelope ? undefined : app.scripts.find(({ source }) => mentionsEnvelope(source))
  if (missed) {
    log(
      'warn',
      `${missed.name} reads messages as { cmd: 'invoke', message }: set app.security.pattern.options.envelope to true, ` +
        'or it finds nothing to check and lets everything pass',
    )
  }
  for (const { name, source } of app.scripts) {
    const absent = absentNames(source)
    if (absent.length > 0) log('warn', `${name} uses ${absent.join(', ')}: the sandbox has none, and reads undefined`)
  }
  lockDown()
  const sandbox = createSandbox({ console: log, confirm: createConfirm(confirm?.port, confirm?.answer, watch, asleep) })
  watch.enter()
  sandbox.run(app.scripts)
  return createHook(findHook(sandbox, app), { envelope })
}
