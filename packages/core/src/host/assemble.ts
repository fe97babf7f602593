// Builds a bus from its options: starts core, the frontends and their gates, and loads the frontends' modules once core is ready.
import { endClient } from '@sallyport/frontend/internal'
import { BusError } from '@sallyport/protocol/internal'
import { Bus } from './bus.js'
import { CoreThread } from './core-thread.js'
import { HostHandle } from './host-handle.js'
import { checkFiles, resolveOptions } from './options/resolve.js'
import type { BusOptions } from './options/types.js'

// For `@sallyport/core/testing`: each import of its own would be one more file that every bus loads.
export { getPermissions } from '../acl/identifier.js'
export { startStandaloneGate } from './frontends/gate.js'

/**
 * Core keeps events for the host until `bus.releaseEvents`.
 *
 * @internal
 */
export async function assemble(input: BusOptions): Promise<Bus> {
  const options = await resolveOptions(input)
  await checkFiles('createBus', options)
  const host = new HostHandle(
    options,
    { name: 'bus', subject: 'The bus' },
    options.supervision.frontends,
    services => new CoreThread(options, services),
  )
  const { core, frontends, reporter, supervisor } = host
  const bus = new Bus(host)
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
    await host.startDevMode(name => bus.reload(name))
    await Promise.all(opened.map(({ start }) => start()))
    return bus
  } catch (error) {
    await bus.close({ timeout: 0 })
    throw error
  }
}
