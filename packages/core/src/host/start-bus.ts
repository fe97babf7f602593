// Starts a bus: checks its options, starts core and the frontends, and watches core.
import { answerCalls, createReconnectingClient, endClient } from '@sallyport/frontend/internal'
import { deadline } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { createDeferred, withoutContext } from '@sallyport/protocol/internal/util'
import { tracingChannel } from 'node:diagnostics_channel'
import { Bus } from './bus.js'
import { Host } from './host.js'
import { LocalCore } from './local-core.js'
import { checkFiles } from '../options/check-files.js'
import { resolveOptions } from '../options/resolve-options.js'
import type { BusOptions } from '../options/types.js'
import type { SpareWorker } from '../life/workers/spare-worker.js'

/** For `@sallyport/core/testing`: each import of its own would be one more file that every bus loads. */
export { toCommandIdentity } from '../acl/identifier.js'
export { startStandaloneGate } from '../life/frontends/gate-handle.js'
export { resolveHook } from '../options/resolve-options.js'

export interface StartedBus {
  bus: Bus
  /** Core keeps events for the host until this is called. */
  releaseEvents(): Promise<void>
}

export const startBus = (input: BusOptions, earlyCore?: SpareWorker): Promise<StartedBus> =>
  withoutContext(() => start(input, earlyCore))

/** After this time the log warns of a core that has not started. */
const LATE_CORE_MS = 10_000

async function start(input: BusOptions, earlyCore: SpareWorker | undefined): Promise<StartedBus> {
  const options = await resolveOptions(input)
  await checkFiles('createBus', options)
  const names = { name: 'bus', subject: 'The bus' }
  const host = new Host(options, names, (services, open) => new LocalCore(options, services, open, earlyCore))
  const { core, frontends, log, reporter, supervisor } = host
  const bus = new Bus(host)
  core.onOver = ({ error, exitError }) => {
    if (!error && supervisor.state === 'draining') return
    supervisor.signal('core.failed')
    const failure = error ?? new BusError('Crashed', 'core exited unexpectedly')
    endClient(core.client, failure as BusError)
    reporter.reportExit('core', 'core', { error: failure, exitError: exitError ?? failure })
    frontends.failAll(failure)
  }
  const { startTimeout } = options
  const module = options.core instanceof URL ? options.core.href : 'a definition'
  const isStarting = (): boolean => core.worker.stats.state === 'starting'
  const text = 'Core is still starting: its module awaits at the top level, or a setup has not returned'
  const warn = (): void => void (isStarting() && log.warn({ module, ms: LATE_CORE_MS }, text))
  const late = createDeferred<never>()
  // The time can be over while the inspector opens, before anything waits for it.
  late.promise.catch(() => {})
  const onLate = (): void => {
    const cause = isStarting() ? `core is still starting: ${module}` : 'a frontend is still loading'
    late.reject(new BusError('Timeout', `The bus did not start within ${startTimeout} ms: ${cause}`))
  }
  const ends = [deadline(LATE_CORE_MS, warn)]
  if (startTimeout) ends.push(deadline(startTimeout, onLate))
  try {
    void warmUpClient()
    // Before the frontends start: it shows why one of them fails.
    if (options.inspect) process.stderr.write(`Inspector: ${await openInspector(bus, options.inspect)}\n`)
    else if (options.dev) log.info('Set SALLYPORT_INSPECT=1 to open the inspector')
    await Promise.race([host.start(core.worker.ready), late.promise])
    return { bus, releaseEvents: () => core.releaseEvents(frontends.synchronized) }
  } catch (error) {
    await bus.close({ timeout: 0 })
    throw error
  } finally {
    for (const end of ends) end()
  }
}

/** More calls gain little until V8 optimizes, after thousands. */
const CALLS = 30

/** Calls of this thread's clients. */
const invokes = tracingChannel('sallyport.invoke')

let warmedUp: Promise<void> | undefined

/** Resolves after some milliseconds of work in pieces of one call. Works once in a thread: call it while the host waits for core. */
export const warmUpClient = (): Promise<void> => (warmedUp ??= makeCalls())

async function makeCalls(): Promise<void> {
  const [near, far] = createLinkEndpoints('ring', 'never')
  answerCalls(openLink(far, false))
  const client = createReconnectingClient(openLink(near, true), { label: 'warm-up' })
  // Subscribers would see these calls.
  for (let call = 0; call < CALLS && !invokes.hasSubscribers; call++) await client.invoke('greet', { name: 'World' })
  endClient(client, undefined)
}

async function openInspector(bus: Bus, inspect: true | 'if-installed'): Promise<string> {
  try {
    return (await bus.openInspector()).url
  } catch (error) {
    if (inspect === true) throw error
    return (error as Error).message
  }
}
