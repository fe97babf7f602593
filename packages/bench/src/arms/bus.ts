// Arms of the bus: core, frontend and gate in a worker each, with the loops in the frontend. Two arms have no cipher.
import { get } from 'node:http'
import { Worker } from 'node:worker_threads'
import { range } from 'd3-array'
import { createBus } from '@sallyport/core'
import type { Bus, BusOptions, Capability, FrontendOptions, WorkerFactories } from '@sallyport/core'
import { fileURLToPath } from 'node:url'
import { BENCH_EVENT, type Ready, type Reply } from '../loops/serve.js'
import type { Arm, OpenArm } from '../model/scenario.js'
import { sharedClock } from '../shared/clock.js'
import { createConversation } from './threads.js'
import { workerUrl } from '../shared/worker-url.js'

export interface BusArmOptions extends FrontendOptions {
  /** A directory of `hooks/`. Without one, the pattern is brownfield. */
  hook?: 'pass' | 'check'
  /** `false` removes encryption. @default true */
  cipher?: boolean
  /** The frontend's module. @default the loops of all arms */
  module?: URL
  /** Number of additional frontends, which only listen. @default 0 */
  listeners?: number
  /** Opens an inspector with one page. @default false */
  inspector?: boolean
}

/** Label of the frontend that measures. */
export const LABEL = 'main'

const COMMANDS = [
  ...['greet', 'clocked-greet', 'clock-start', 'clock-stop', 'read-kib'],
  ...['echo', 'echo-bytes', 'transfer-back', 'burst', 'burst-each', 'fan-out', 'seen', 'download'],
]

/** Allows the measuring frontend every command of the benchmark's core. */
export const createCapability = (): Capability => ({
  identifier: 'bench',
  windows: [LABEL],
  permissions: COMMANDS.map(command => `allow-${command}`),
})

type Pattern = NonNullable<NonNullable<BusOptions['app']>['security']>['pattern'] & {}

/** Tauri's form, which older bases of a comparison accept too. A hook's directory is a path, which can be posted to a thread, unlike a URL. */
export const createPattern = (hook: BusArmOptions['hook']): Pattern =>
  hook
    ? { use: 'isolation', options: { dir: fileURLToPath(new URL(`../../hooks/${hook}/`, import.meta.url)) } }
    : { use: 'brownfield' }

export function busArm(id: string, title: string, settings: BusArmOptions): Arm {
  return { id, title, open: () => openBus(settings) }
}

export const RING_JSON = { codec: 'json', link: 'ring' } as const

// An arm has a fixed link, because `auto` could mean another link in each version.
const linkArm = (title: string, link: 'port' | 'ring', codec: 'json' | 'msgpack'): Arm =>
  busArm(`${link}-${codec}`, title, { codec, link })

export const portJson: Arm = linkArm('port JSON', 'port', 'json')
export const ringJson: Arm = linkArm('ring JSON', 'ring', 'json')
export const ringMsgpack: Arm = linkArm('ring msgpack', 'ring', 'msgpack')
const isolation: BusArmOptions = { ...RING_JSON, hook: 'check' }
export const isolationRingJson: Arm = busArm('isolation-ring-json', 'isolation, ring JSON', isolation)

/** The default sandbox, which can read the rest of this package. Ports need a frontend without one. */
const module = workerUrl('frontend')
const sandbox: FrontendOptions['sandbox'] & {} = { kind: 'permission', read: [new URL('../', module)] }

function toBusOptions(settings: Omit<BusArmOptions, 'cipher'>): BusOptions {
  const { hook, listeners = 0, inspector: _inspector, ...options } = settings
  const frontend = { module, sandbox: options.link === 'port' ? ('none' as const) : sandbox, ...options }
  // The measuring frontend has place 0.
  const listening = range(1, listeners + 1).map(place => [
    `listener-${place}`,
    { ...frontend, module: new URL(`?place=${place}`, module) },
  ])
  return {
    core: workerUrl('core'),
    // Log lines would break the progress line. An error fails the arm.
    log: false,
    frontends: { [LABEL]: frontend, ...Object.fromEntries(listening) },
    app: { security: { pattern: createPattern(hook), capabilities: [createCapability()] } },
  }
}

/** Starts core and the gate from an entry that replaces the module of records. */
const withoutCipher: WorkerFactories = {
  core: options => new Worker(workerUrl('plain-worker'), { ...options, argv: ['core'] }),
  gate: options => {
    // Before Node 22.15, a loader needs a thread. The gate's sandbox does not include the files of this package.
    const execArgv = [...(options.execArgv ?? []), '--allow-worker', '--allow-fs-read=*']
    return new Worker(workerUrl('plain-worker'), { ...options, argv: ['gate'], execArgv })
  },
}

type StartedBus = { bus: Bus; ready: Promise<Ready> }

/** Starts a bus. `ready` resolves after the frontend's first call, when the other frontends listen, and rejects after a fault. */
export async function startBus({ cipher = true, ...settings }: BusArmOptions): Promise<StartedBus> {
  const bus = await createBus({ ...toBusOptions(settings), ...(!cipher && { workers: withoutCipher }) })
  const ready = new Promise<Ready>((resolve, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
    bus.once<Ready | null>(BENCH_EVENT.ready, ({ payload }) => resolve(payload ?? { at: sharedClock() })).catch(reject)
  })
  const { listeners = 0 } = settings
  if (listeners === 0) return { bus, ready }
  const listening = new Promise<void>((resolve, reject) => {
    let count = 0
    bus.listen(BENCH_EVENT.listening, () => ++count === listeners && resolve()).catch(reject)
  })
  return { bus, ready: Promise.all([ready, listening]).then(([first]) => first) }
}

/** Opens an inspector, and reads its feed as a page does. The feed ends with the bus. */
async function followInspector(bus: Bus): Promise<void> {
  const url = new URL((await bus.openInspector()).url)
  url.pathname = '/feed'
  get(url, response => void response.resume().on('error', () => {})).on('error', () => {})
}

/** Opens an arm on a new bus. A fault of the bus fails the arm. */
async function openBus(settings: BusArmOptions): Promise<OpenArm> {
  const { bus, ready } = await startBus(settings)
  const close = (): Promise<void> => bus.close({ timeout: 0 })
  const { measure, receive, fail } = createConversation(request => bus.emitTo(LABEL, BENCH_EVENT.request, request))
  bus.on('fault', ({ label, error }) => fail(new Error(`${label}: ${error.message}`)))
  try {
    await bus.listen<Reply>(BENCH_EVENT.reply, ({ payload }) => receive(payload))
    await ready
    if (settings.inspector) await followInspector(bus)
    return { measure, close }
  } catch (error) {
    await close()
    throw error
  }
}
