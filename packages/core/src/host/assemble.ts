// Puts a bus together: checks the options, starts core and the gates, and lets the frontends run once core is ready.
import { BusError, receiveError } from '@sallyport/protocol'
import type { LifeState } from '@sallyport/protocol/actor'
import { EventEmitter } from 'node:events'
import type { CoreReport, CoreWorkerData } from '../control.js'
import { Attaching } from './attaching.js'
import { Bus, type BusEvents } from './bus.js'
import { checkFiles } from './files.js'
import { Frontends } from './frontends.js'
import { andMore } from '../and-more.js'
import { createHostLog, forwardLine, type Logger } from './log.js'
import type { BusOptions, ResolvedOptions } from './options.js'
import { resolveOptions } from './resolve-options.js'
import { spawnWorker } from './spawn.js'
import { createSupervisor, type SupervisedThread, type Supervisor } from './supervisor.js'
import { createWatchdog } from './watchdog.js'

/** @internal With `cipher: false` hooks run and nothing is sealed; for the benchmark alone. */
export async function assemble(given: BusOptions, cipher: boolean): Promise<Bus> {
  const options = await resolveOptions(given)
  await checkFiles(options)
  const log = createHostLog(options.log)
  const supervisor = createSupervisor()
  const events = new EventEmitter()
  const tell = <Name extends keyof BusEvents>(name: Name, event: BusEvents[Name]): void => void events.emit(name, event)

  const failed = (label: string, error: Error): void => {
    log.error({ label, err: error }, 'fault')
    tell('fault', { label, error })
  }
  const core = startCore(supervisor, options, { log, tell, failed, attached: label => attaching.attached(label) })
  const attaching = new Attaching(core)
  const frontends = new Frontends({
    supervisor,
    options,
    cipher,
    watchdog: createWatchdog(options.isolation.hookTimeout),
    log,
    attach: attachment => attaching.attach(attachment),
    begin: label => core.post({ type: 'begin', label }),
    failed,
    rejected(label, command, why, more) {
      log.warn({ label, command, why }, andMore('rejected', more))
      tell('rejected', { label, command, why, ...(more > 0 && { more }) })
    },
  })
  if (options.pattern === 'isolation' && !options.isolation.dir) {
    log.warn(
      'The isolation pattern has no dir: its hook passes everything. Calls are sealed and authorized all the same',
    )
  }
  const bus = new Bus({ supervisor, core, frontends, events })

  try {
    const opening = options.frontends.map(({ label, module, ...settings }) => frontends.open(label, module, settings))
    const [opened] = await Promise.all([Promise.all(opening), core.ready])
    supervisor.signal('core.ready')
    void core.exited.then(({ error }) => {
      if (!error && supervisor.state !== 'running') return
      supervisor.signal('core.failed')
      // No frontend outlives core: what was on its way to core must settle, not wait.
      void frontends.closeAll()
      failed('core', error ?? new BusError('InternalError', 'core has ended by itself'))
    })
    setImmediate(() => void bus.settled().then(() => opened.forEach(({ start }) => start())))
    return bus
  } catch (error) {
    await bus.close({ timeout: 0 })
    throw error
  }
}

interface CoreListener {
  log: Logger
  tell: <Name extends keyof BusEvents>(name: Name, event: BusEvents[Name]) => void
  failed(label: string, error: Error): void
  attached(label: string): void
}

function startCore(
  supervisor: Supervisor,
  { core, pattern, isolation, acl, appInfo, plugins }: ResolvedOptions,
  { log, tell, failed, attached }: CoreListener,
): SupervisedThread {
  const workerData: CoreWorkerData = {
    module: core.href,
    pattern,
    maxRecordAge: isolation.maxRecordAge,
    acl,
    appInfo,
    plugins,
    logLevel: log.level,
  }
  return supervisor.start({
    name: 'core',
    spawn: () => spawnWorker(import.meta.resolve('#worker'), workerData),
    onState: (state: LifeState) => log.debug({ actor: 'core', state }, 'state'),
    onReport(report) {
      const told = report as CoreReport
      if (told.type === 'log') forwardLine(log, told.line)
      else if (told.type === 'attached') attached(told.label)
      else if (told.type === 'denied') {
        const { label, command, more } = told
        log.warn({ label, command }, andMore('denied', more))
        tell('denied', { label, command, ...(more > 0 && { more }) })
      } else if (told.type === 'fault')
        failed(told.label, receiveError(told.error, 'a frontend has sent what is no frame'))
    },
  })
}
