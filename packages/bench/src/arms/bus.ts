// The bus as its users have it: core, frontend and gate each in a worker of their own, with the loops in the frontend. The
// arms differ in their settings, and two in a switch that only the benchmark may turn: no cipher.
import { createBus, type Bus, type BusOptions, type FrontendOptions, type Sandbox } from '@sallyport/core'
import { createBusWithoutCipher } from '@sallyport/core/internal'
import type { Arm, OpenArm } from '../arm.js'
import { BENCH_EVENT, sharedClock, type Ready } from '../workers/bench-event.js'
import type { Reply } from '../workers/serve.js'
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
  /** Frontends that only listen, besides the one that measures. */
  listeners?: number
}

const LABEL = 'main'
const COMMANDS = [
  'greet',
  'clocked-greet',
  'clock-start',
  'clock-stop',
  'read-kib',
  'echo',
  'echo-bytes',
  'give-back',
  'burst',
  'burst-each',
  'fan-out',
  'seen',
  'download',
]

export const busArm = (id: string, title: string, settings: BusSettings): Arm => ({
  id,
  title,
  open: () => openBus(settings),
})

export const brownfieldJson: Arm = busArm('brownfield-json', 'brownfield JSON', { codec: 'json' })
export const brownfieldMsgpack: Arm = busArm('brownfield-msgpack', 'brownfield msgpack', { codec: 'msgpack' })
export const passJson: Arm = busArm('pass-json', 'gate, empty hook', { codec: 'json', hook: 'pass', cipher: false })
export const hookJson: Arm = busArm('hook-json', 'gate with hook', { codec: 'json', hook: 'check', cipher: false })
export const isolationJson: Arm = busArm('isolation-json', 'isolation JSON', { codec: 'json', hook: 'check' })
export const isolationMsgpack: Arm = busArm('isolation-msgpack', 'isolation msgpack', {
  codec: 'msgpack',
  hook: 'check',
})

/** The sandbox that users have, with what the loops import from elsewhere in this package. */
const sandbox: Sandbox = { kind: 'permission', read: [new URL('../', workerUrl('bus-frontend'))] }

function busOptions({ hook, listeners = 0, ...given }: Omit<BusSettings, 'cipher'>): BusOptions {
  const settings = { sandbox, ...given }
  const permissions = COMMANDS.map(command => `allow-${command}`)
  const listening = Object.fromEntries(
    Array.from({ length: listeners }, (_, at) => {
      // The measuring frontend has place 0.
      const module = new URL(`?place=${at + 1}`, workerUrl('bus-listener'))
      return [`listener-${at + 1}`, { module, ...settings }]
    }),
  )
  const dir = new URL(`../../hooks/${hook}/`, import.meta.url)
  return {
    core: workerUrl('bus-core'),
    // What goes wrong is told as an error of the arm; log lines would stand in the progress line's way.
    log: false,
    frontends: { [LABEL]: { module: workerUrl('bus-frontend'), ...settings }, ...listening },
    app: {
      security: {
        pattern: hook ? { use: 'isolation', options: { dir } } : { use: 'brownfield' },
        capabilities: [{ identifier: 'bench', windows: [LABEL], permissions }],
      },
    },
  }
}

export interface StartedBus {
  bus: Bus
  /** Resolves when the frontend has had the answer to its first call, and the others listen; rejects when they never will. */
  ready: Promise<Ready>
}

/** Starts a bus, without waiting for its frontend. */
export async function startBus({ cipher = true, ...settings }: BusSettings): Promise<StartedBus> {
  const create = cipher ? createBus : createBusWithoutCipher
  const bus = await create(busOptions(settings))
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
  const conversation = converse(request => bus.emitTo(LABEL, BENCH_EVENT.request, request))
  bus.on('fault', ({ label, error }) => conversation.fail(new Error(`${label}: ${error.message}`)))
  try {
    await bus.listen<Reply>(BENCH_EVENT.reply, ({ payload }) => conversation.receive(payload))
    await ready
  } catch (error) {
    await close()
    throw error
  }
  return { measure: conversation.measure, close }
}
