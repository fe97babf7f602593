// Arms of the bus: core, frontend and gate in a worker each, with the loops in the frontend. Three arms have no cipher.
import { createBus, type FrontendOptions } from '@sallyport/core'
import type { WorkerFactories } from '@sallyport/core/internal'
import { Worker } from 'node:worker_threads'
import type { Request } from '../loops/calls.js'
import { asBytes, type Payload } from '../model/payloads.js'
import { type Arm, type Arms, type OpenArm, withAgain } from '../model/scenario.js'
import { workerUrl } from '../run/machine.js'
import { createMeasuring } from './threads.js'

interface BusArmOptions {
  codec: 'json' | 'msgpack'
  /** It is fixed, because `auto` could mean another link in each version. */
  link: 'port' | 'ring'
  /** Without a hook, the pattern is brownfield. `plain` removes encryption, and nothing else. */
  hook?: 'encrypted' | 'plain'
  /** Returns the payload as it is sent. @default the payload itself */
  toForm?(payload: Payload): Payload
}

const HOOK = new URL('../../hooks/check/', import.meta.url)

const busArm = (id: string, title: string, options: BusArmOptions): Arm => ({ id, title, open: () => openBus(options) })

const RING_JSON: BusArmOptions = { codec: 'json', link: 'ring' }

export const portJson: Arm = busArm('port-json', 'SALLYPORT_LINK=port', { codec: 'json', link: 'port' })
export const ringJson: Arm = busArm('ring-json', "codec: 'json'", RING_JSON)
export const ringMsgpack: Arm = busArm('ring-msgpack', "codec: 'msgpack'", { codec: 'msgpack', link: 'ring' })
export const isolationRingJson: Arm = busArm('isolation-ring-json', 'isolation', { ...RING_JSON, hook: 'encrypted' })

/** Whatever is sent, as bytes that no side parses. */
const ringBytes = busArm('ring-bytes', 'bytes', { ...RING_JSON, toForm: asBytes })

/** Isolation without its cipher, in which alone the two differ. */
const hookRingJson = busArm('hook-ring-json', 'isolation without encryption', { ...RING_JSON, hook: 'plain' })

/** The forms of a message. */
export const speedArms: Arms = withAgain([ringJson, ringMsgpack, ringBytes])

/** Those, and what isolation adds. */
export const formatArms: Arms = [...speedArms, hookRingJson, isolationRingJson]

/** The default sandbox, which can read the rest of this package, and that of the statistics. Ports need a frontend without one. */
const module = workerUrl('frontend')
const statistics = import.meta.resolve('#measure/statistics')
const read = [new URL('../', module), new URL('../../', statistics)]
const sandbox: FrontendOptions['sandbox'] & {} = { kind: 'permission', read }

/** Core and gate as the same modules, with a cipher or without: what differs is the module of records alone. */
const toWorkers = (hook: 'encrypted' | 'plain'): WorkerFactories => ({
  core: options => new Worker(workerUrl('hook-worker'), { ...options, argv: ['core', hook] }),
  gate: options => {
    // Before Node 22.15, a loader needs a thread. The gate's sandbox does not include the files of this package.
    const execArgv = [...(options.execArgv ?? []), '--allow-worker', '--allow-fs-read=*']
    return new Worker(workerUrl('hook-worker'), { ...options, argv: ['gate', hook], execArgv })
  },
})

async function openBus({ codec, link, hook, toForm }: BusArmOptions): Promise<OpenArm> {
  process.env['SALLYPORT_LINK'] = link
  const allow = ['greet', 'echo', 'echo_bytes']
  const bus = await createBus({
    ...{ core: workerUrl('core'), codec },
    // Log lines would break the progress line. An error fails the arm.
    log: false,
    frontends: { main: { module, sandbox: link === 'port' ? 'none' : sandbox, allow } },
    ...(hook && { isolation: { dir: HOOK }, workers: toWorkers(hook) }),
  })
  const failed = new Promise<never>((_, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
  })
  failed.catch(() => {})
  const send = (request: Request): Promise<unknown> => bus.call('main', 'measure', { ...request }, { timeout: false })
  return { measure: createMeasuring(send, failed, toForm), close: () => bus.close({ timeout: 0 }) }
}
