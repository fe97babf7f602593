// The bus as its users have it: core, frontend and gate each in a worker of their own, with the loops in the frontend. The
// arms differ in their settings, and two run without the cipher.
import { Worker } from 'node:worker_threads'
import {
  createBus,
  type Bus,
  type BusOptions,
  type Capability,
  type FrontendOptions,
  type Sandbox,
  type WorkerMakers,
} from '@sallyport/core'
import type { Arm, OpenArm } from '../arm.js'
import { BENCH_EVENT, sharedClock, type Ready } from '../workers/bench-event.js'
import type { Reply } from '../workers/serve.js'
import { allOf } from './capabilities.js'
import { converse } from './conversation.js'
import { workerUrl } from './thread.js'

/** Codec and link are those of the frontend. */
export interface BusSettings extends FrontendOptions {
  /** The hook of the gate, a folder of this package's `hooks`; without one the pattern is brownfield. */
  hook?: 'pass' | 'check'
  /** `false` leaves the cipher out. */
  cipher?: boolean
  /** What the frontend runs; by default the loops of all arms. */
  module?: URL
  /** What core runs, a file of `workers`. */
  core?: 'bus-core' | 'traced-core' | 'zod-core' | 'valibot-core'
  /** By default there is one that allows each command. */
  capabilities?: readonly Capability[]
  /** By default there is none: lines would stand in the progress line's way, and what goes wrong is an error of the arm. */
  log?: BusOptions['log']
  /** Frontends that only listen, besides the one that measures. */
  listeners?: number
}

/** Of the frontend that measures. */
export const LABEL = 'main'

export const busArm = (id: string, title: string, settings: BusSettings): Arm => ({
  id,
  title,
  carries: settings.codec === 'msgpack' ? 'JSON-RPC in msgpack' : 'JSON-RPC text',
  checks: checksOf(settings),
  open: () => openBus(settings),
})

const checksOf = ({ hook, cipher = true, core = 'bus-core', capabilities }: BusSettings): string[] => [
  ...(/^(zod|valibot)-/.test(core) ? ['arguments'] : []),
  ...(capabilities?.length === 0 ? [] : ['authority']),
  ...(hook ? ['hook'] : []),
  ...(hook && cipher ? ['records'] : []),
]

/** The gate over rings, with a part of what it does; links.ts has the whole. */
const gateArm = (id: string, title: string, hook: 'pass' | 'check'): Arm =>
  busArm(id, title, { codec: 'json', link: 'ring', hook, cipher: false })

export const passRingJson: Arm = gateArm('pass-ring-json', 'gate, empty hook', 'pass')
export const hookRingJson: Arm = gateArm('hook-ring-json', 'gate with hook', 'check')

/** The sandbox that users have, with what the loops import from elsewhere in this package. */
const sandbox: Sandbox = { kind: 'permission', read: [new URL('../', workerUrl('bus-frontend'))] }

function busOptions({
  hook,
  listeners = 0,
  core = 'bus-core',
  capabilities = [allOf(LABEL)],
  log = false,
  ...given
}: Omit<BusSettings, 'cipher'>): BusOptions {
  const settings = { sandbox, ...given }
  const listening = Object.fromEntries(
    Array.from({ length: listeners }, (_, at) => {
      // The measuring frontend has place 0.
      const module = new URL(`?place=${at + 1}`, workerUrl('bus-listener'))
      return [`listener-${at + 1}`, { module, ...settings }]
    }),
  )
  const dir = new URL(`../../hooks/${hook}/`, import.meta.url)
  return {
    core: workerUrl(core),
    log,
    ...(given.supervision && { supervision: given.supervision }),
    frontends: { [LABEL]: { module: workerUrl('bus-frontend'), ...settings }, ...listening },
    app: {
      security: {
        pattern: hook ? { use: 'isolation', options: { dir } } : { use: 'brownfield' },
        capabilities,
      },
    },
  }
}

/** Starts core and the gate from an entry that replaces the module which seals and opens records. */
const withoutCipher: WorkerMakers = {
  core: options => new Worker(workerUrl('plain-worker'), { ...options, argv: ['core'] }),
  gate: options => {
    // Before Node 22.15, a module is replaced by another thread. This package's files are no part of a gate's sandbox.
    const execArgv = [...(options.execArgv ?? []), '--allow-worker', '--allow-fs-read=*']
    return new Worker(workerUrl('plain-worker'), { ...options, argv: ['gate'], execArgv })
  },
}

export interface StartedBus {
  bus: Bus
  /** Resolves when the frontend has had the answer to its first call, and the others listen; rejects when they never will. */
  ready: Promise<Ready>
}

/** Starts a bus, without waiting for its frontend. */
export async function startBus({ cipher = true, ...settings }: BusSettings): Promise<StartedBus> {
  const bus = await createBus({ ...busOptions(settings), ...(!cipher && { workers: withoutCipher }) })
  const ready = new Promise<Ready>((resolve, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
    bus.once<Ready | null>(BENCH_EVENT.ready, ({ payload }) => resolve(payload ?? { at: sharedClock() })).catch(reject)
  })
  const { listeners = 0 } = settings
  if (listeners === 0) return { bus, ready }
  const listening = countTo(listeners, counted => bus.listen(BENCH_EVENT.listening, counted))
  return { bus, ready: Promise.all([ready, listening]).then(([first]) => first) }
}

const countTo = (many: number, each: (counted: () => void) => Promise<unknown>): Promise<void> =>
  new Promise((resolve, reject) => {
    let count = 0
    each(() => ++count === many && resolve()).catch(reject)
  })

async function openBus(settings: BusSettings): Promise<OpenArm> {
  const { bus, ready } = await startBus(settings)
  const close = (): Promise<void> => bus.close({ timeout: 0 })
  try {
    const { measure } = await talkTo(bus)
    await ready
    return { measure, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Asks the frontend that measures, and hears what it answers. A fault is an error of the arm, but of what is to break. */
export async function talkTo(bus: Bus, breaks?: string): Promise<Pick<OpenArm, 'measure'>> {
  const conversation = converse(request => bus.emitTo(LABEL, BENCH_EVENT.request, request))
  bus.on('fault', ({ label, error }) => {
    if (label !== breaks) conversation.fail(new Error(`${label}: ${error.message}`))
  })
  await bus.listen<Reply>(BENCH_EVENT.reply, ({ payload }) => conversation.receive(payload))
  return conversation
}
