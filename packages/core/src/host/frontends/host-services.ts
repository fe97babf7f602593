// What core, the gates and the frontends of a host share.
import type { HostConfig } from '../options/config.js'
import { BusReporter } from '../reporting/events.js'
import { createHostLog } from '../reporting/log.js'
import { Processes } from '../sandboxes/processes.js'
import { createSupervisor } from '../life/supervisor.js'
import { SharedThreads } from '../workers/shared-threads.js'
import { GateThreads } from './gate-threads.js'
import type { HostServices } from './types.js'

export function createHostServices(options: HostConfig): HostServices {
  const log = createHostLog(options.log, options.dev)
  const sharedThreads = new SharedThreads()
  const gateThreads = new GateThreads(options, sharedThreads)
  const threads = { sharedThreads, processes: new Processes(options.core, log, sharedThreads), gateThreads }
  const supervisor = createSupervisor()
  const reporter = new BusReporter(log, () => supervisor.state === 'draining')
  return { options, log, supervisor, reporter, ...threads }
}
