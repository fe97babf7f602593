// Arms of the bus: core, frontend and gate in a worker each, with the loops in the frontend. Three arms have no cipher.
import { type BusOptions, createBus, type FrontendOptions } from '@sallyport/core'
import type { WorkerFactories } from '@sallyport/core/internal'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Request } from '../loops/calls.js'
import { asBytes, asText, type Payload } from '../model/payloads.js'
import type { Arm, Arms, OpenArm } from '../model/scenario.js'
import { workerUrl } from '../run/machine.js'
import { createMeasuring, rawPort } from './threads.js'

interface BusArmOptions extends FrontendOptions {
  codec?: 'json' | 'msgpack'
  link?: 'port' | 'ring'
  /** Without a hook, the pattern is brownfield. */
  hook?: boolean
  /** `plain` removes encryption. With `cipher`, the arm differs from that in nothing else. */
  cipher?: 'cipher' | 'plain'
}

const HOOK = fileURLToPath(new URL('../../hooks/check/', import.meta.url))

/** Label of the frontend that measures. */
const LABEL = 'main'

const COMMANDS = ['greet', 'echo', 'echo_bytes']

function busArm(id: string, title: string, settings: BusArmOptions): Arm {
  return { id, title, open: () => openBus(settings) }
}

// An arm has a fixed link, because `auto` could mean another link in each version.
const linkArm = (title: string, link: 'port' | 'ring', codec: 'json' | 'msgpack'): Arm =>
  busArm(`${link}-${codec}`, title, { codec, link })

export const portJson: Arm = linkArm('port JSON', 'port', 'json')
export const ringJson: Arm = linkArm('ring JSON', 'ring', 'json')
export const ringMsgpack: Arm = linkArm('ring msgpack', 'ring', 'msgpack')
export const isolationRingJson: Arm = busArm('isolation-ring-json', 'isolation, ring JSON', {
  ...{ codec: 'json', link: 'ring', hook: true },
})

/** The default sandbox, which can read the rest of this package. Ports need a frontend without one. */
const module = workerUrl('frontend')
const sandbox: FrontendOptions['sandbox'] & {} = { kind: 'permission', read: [new URL('../', module)] }

function toBusOptions({ hook, codec = 'json', link, ...options }: Omit<BusArmOptions, 'cipher'>): BusOptions {
  const isTrusted = link === 'port'
  return {
    ...{ core: workerUrl('core'), codec },
    // Log lines would break the progress line. An error fails the arm.
    log: false,
    frontends: { [LABEL]: { module, sandbox: isTrusted ? 'none' : sandbox, allow: COMMANDS, ...options } },
    ...(hook && { isolation: { dir: HOOK } }),
  }
}

/** Core and gate as the same modules, with a cipher or without: what differs is the module of records alone. */
const toWorkers = (cipher: 'cipher' | 'plain'): WorkerFactories => ({
  core: options => new Worker(workerUrl('plain-worker'), { ...options, argv: ['core', cipher] }),
  gate: options => {
    // Before Node 22.15, a loader needs a thread. The gate's sandbox does not include the files of this package.
    const execArgv = [...(options.execArgv ?? []), '--allow-worker', '--allow-fs-read=*']
    return new Worker(workerUrl('plain-worker'), { ...options, argv: ['gate', cipher], execArgv })
  },
})

async function openBus({ cipher, ...settings }: BusArmOptions): Promise<OpenArm> {
  process.env['SALLYPORT_LINK'] = settings.link
  const bus = await createBus({ ...toBusOptions(settings), ...(cipher && { workers: toWorkers(cipher) }) })
  const failed = new Promise<never>((_, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
  })
  failed.catch(() => {})
  const send = (request: Request): Promise<unknown> => bus.call(LABEL, 'measure', { ...request }, { timeout: false })
  return { measure: createMeasuring(send, failed), close: () => bus.close({ timeout: 0 }) }
}

/** How a payload is written: its codec, and whether it is sent as bytes that no side parses. */
const FORMATS = [
  { format: 'json', title: 'JSON-RPC', codec: 'json', toPayload: asText },
  { format: 'msgpack', title: 'MessagePack', codec: 'msgpack', toPayload: (payload: Payload): Payload => payload },
  { format: 'bytes', title: 'bytes', codec: 'json', toPayload: asBytes },
] as const

/** The hook without encryption differs from isolation in the cipher alone. */
const LAYERS = [
  { layer: '', words: '', settings: {} },
  { layer: 'hook-', words: ', hook', settings: { hook: true, cipher: 'plain' } },
  { layer: 'isolation-', words: ', hook, encrypted', settings: { hook: true, cipher: 'cipher' } },
] as const

/** An arm that sends a payload in another form. */
const inForm = (arm: Arm, toForm: (payload: Payload) => Payload): Arm => ({
  ...arm,
  open: async () => {
    const opened = await arm.open()
    const forms = new Map<Payload, Payload>()
    const toKnown = (payload: Payload): Payload => {
      const form = forms.get(payload) ?? toForm(payload)
      forms.set(payload, form)
      return form
    }
    return { ...opened, measure: (task, payload) => opened.measure(task, toKnown(payload)) }
  },
})

/** Every format over a ring, with nothing, with a hook, and with a hook and encryption; then what Node does without a library. */
export const formatArms = [
  ...FORMATS.flatMap(({ format, title, codec, toPayload }) =>
    LAYERS.map(({ layer, words, settings }) =>
      inForm(busArm(`${layer}ring-${format}`, `${title}${words}`, { codec, link: 'ring', ...settings }), toPayload),
    ),
  ),
  { ...rawPort, title: 'structured clone' },
] as unknown as Arms
