// Arms of the bus: core, frontend and gate in a worker each, with the loops in the frontend. Two arms have no cipher.
import { Worker } from 'node:worker_threads'
import { createBus } from '@sallyport/core'
import type { BusOptions, FrontendOptions, WorkerFactories } from '@sallyport/core'
import { fileURLToPath } from 'node:url'
import type { Request } from '../loops/serve.js'
import type { Arm, OpenArm } from '../scenarios/scenario.js'
import { createMeasuring } from './threads.js'
import { workerUrl } from '../shared/worker-url.js'

export interface BusArmOptions extends FrontendOptions {
  /** Without a hook, the pattern is brownfield. */
  hook?: boolean
  /** `false` removes encryption. @default true */
  cipher?: boolean
}

const HOOK = fileURLToPath(new URL('../../hooks/check/', import.meta.url))

/** Label of the frontend that measures. */
const LABEL = 'main'

const COMMANDS = ['greet', 'echo', 'echo_bytes', 'download']

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
export const hookRingJson: Arm = busArm('hook-ring-json', 'ring JSON, hook', {
  ...RING_JSON,
  hook: true,
  cipher: false,
})
export const isolationRingJson: Arm = busArm('isolation-ring-json', 'isolation, ring JSON', {
  ...RING_JSON,
  hook: true,
})

/** The default sandbox, which can read the rest of this package. Ports need a frontend without one. */
const module = workerUrl('frontend')
const sandbox: FrontendOptions['sandbox'] & {} = { kind: 'permission', read: [new URL('../', module)] }

function toBusOptions({ hook, ...options }: Omit<BusArmOptions, 'cipher'>): BusOptions {
  const isTrusted = options.link === 'port'
  return {
    core: workerUrl('core'),
    // Log lines would break the progress line. An error fails the arm.
    log: false,
    frontends: { [LABEL]: { module, sandbox: isTrusted ? 'none' : sandbox, allow: COMMANDS, ...options } },
    ...(hook && { isolation: { dir: HOOK } }),
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

/** Opens an arm on a new bus, whose frontend has then called. */
async function openBus({ cipher = true, ...settings }: BusArmOptions): Promise<OpenArm> {
  const bus = await createBus({ ...toBusOptions(settings), ...(!cipher && { workers: withoutCipher }) })
  const failed = new Promise<never>((_, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
  })
  failed.catch(() => {})
  const send = (request: Request): Promise<unknown> => bus.call(LABEL, 'measure', { ...request }, { timeout: false })
  return { measure: createMeasuring(send, failed), close: () => bus.close({ timeout: 0 }) }
}
