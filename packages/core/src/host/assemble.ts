// Puts a bus together: checks the options, starts core and the gates, and lets the frontends run once core is ready.
import { EventEmitter } from 'node:events'
import { endClient } from '@sallyport/frontend/client'
import { BusError } from '@sallyport/protocol'
import { Bus, type BusDeps } from './bus.js'
import { CoreThread } from './core-thread.js'
import { Frontends } from './frontends/frontends.js'
import { checkFiles, resolveOptions, warnAboutMissingHook } from './options/resolve.js'
import type { BusOptions } from './options/types.js'
import { BusReporter } from './reporting/events.js'
import { createHostLog } from './reporting/log.js'
import { createSupervisor } from './supervision/supervisor.js'
import { createWatchdog } from './supervision/watchdog.js'

// What `@sallyport/core/testing` takes from here: imported by itself, each would be a file more that every bus loads.
export { getPermissions } from '../acl/identifier.js'
export { startStandaloneGate } from './frontends/gate.js'

/** @internal With `cipher: false` hooks run and nothing is sealed; for the benchmark alone. */
export async function assemble(given: BusOptions, cipher: boolean): Promise<Bus> {
  const options = await resolveOptions(given)
  await checkFiles('createBus', options)
  const log = createHostLog(options.log, options.dev)
  const supervisor = createSupervisor()
  const events = new EventEmitter()
  const reporter = new BusReporter(log, events)
  const core = new CoreThread(options, {
    supervisor,
    log,
    reporter,
    up: () => frontends.wireAll(),
    down: () => frontends.unwireAll(),
    attached: (label, link) => frontends.attached(label, link),
    closed: (label, link) => frontends.closed(label, link),
    broken: (label, link, error) => frontends.broken(label, link, error),
  })
  const watchdog = createWatchdog(options.isolation.hookTimeout)
  const frontends = new Frontends({ supervisor, options, core, cipher, watchdog, log, reporter })
  warnAboutMissingHook(options, log)
  const { supervision } = options
  const parts: BusDeps = { supervisor, core, frontends, events, reporter, supervision: supervision.frontends }
  const bus = new Bus(parts)

  try {
    const opening = options.frontends.map(({ label, module, ...settings }) => frontends.open(label, module, settings))
    const [opened] = await Promise.all([Promise.all(opening), core.worker.ready])
    supervisor.signal('core.ready')
    void core.worker.exited.then(({ error, exitError }) => {
      if (!error && supervisor.state !== 'running') return
      supervisor.signal('core.failed')
      const failure = error ?? new BusError('InternalError', 'core exited unexpectedly')
      endClient(core.client, failure as BusError)
      reporter.reportExit('core', 'core', { error: failure, exitError: exitError ?? failure })
      frontends.failAll(failure)
    })
    if (options.dev) {
      const { startDevMode } = await import('./dev-mode.js')
      parts.dev = await startDevMode({ options, frontends, log, reload: name => bus.reload(name) })
    }
    setImmediate(() => void bus.settled().then(() => opened.forEach(({ start }) => start())))
    return bus
  } catch (error) {
    await bus.close({ timeout: 0 })
    throw error
  }
}
