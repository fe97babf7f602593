// The arms of scenarios that compare settings of the bus: in each list the reference first.
import type { Capability } from '@sallyport/core'
import { get, type IncomingMessage } from 'node:http'
import { pino } from 'pino'
import type { Arm, Arms, OpenArm } from '../model/scenario.js'
import { payloadBytes, type Payload } from '../payloads/payloads.js'
import * as bus from './bus.js'
import { cipher, FAN_LISTENERS, fanRaw, rawPort, workerUrl } from './threads.js'

const { busArm, createCapability, isolationRingJson, portJson, RING_JSON, ringJson, ringMsgpack } = bus

/** The bus over both links, without and with a gate. */
export const plain: Arms = [rawPort, portJson, ringJson]
export const both: Arms = [...plain, isolationRingJson]

/** An arm called `…-again` is compared with the arm that it repeats. */
export const noise: Arms = [rawPort, ringJson, { ...ringJson, id: 'ring-json-again', title: 'ring JSON, again' }]

/** Each adds one thing; two of them have no cipher. */
const hookRingJson = busArm('hook-ring-json', 'gate with hook', { ...RING_JSON, hook: 'check', cipher: false })
export const isolation: Arms = [
  rawPort,
  ringJson,
  busArm('pass-ring-json', 'gate, empty hook', { ...RING_JSON, hook: 'pass', cipher: false }),
  hookRingJson,
  isolationRingJson,
]

export const documents: Arms = [rawPort, ringJson, ringMsgpack, isolationRingJson, bus.isolationRingMsgpack]
export const events: Arms = [rawPort, ringJson, isolationRingJson]
export const encrypted: Arms = [cipher, bus.isolationPortJson, isolationRingJson]

/** One core and many frontends, each in a worker: one measures, the others only listen. */
const fanArm = (link: 'port' | 'ring'): Arm =>
  busArm(`${link}-json`, `${link} JSON`, { codec: 'json', link, listeners: FAN_LISTENERS })
export const fanOut: Arms = [fanRaw, fanArm('port'), fanArm('ring')]

const REJECTS = { ...RING_JSON, window: 256, overflow: 'reject' } as const
export const overload: Arms = [
  ...plain,
  busArm('ring-json-rejects', 'ring JSON, rejects', REJECTS),
  isolationRingJson,
  busArm('isolation-ring-json-rejects', 'isolation, rejects', { ...REJECTS, hook: 'check' }),
]

export const validation: Arms = [
  { ...ringJson, title: 'no schema' },
  busArm('zod', 'zod', { ...RING_JSON, greet: 'zod' }),
  busArm('valibot', 'valibot', { ...RING_JSON, greet: 'valibot' }),
]

/** So many capabilities that each apply to the frontend and allow every command once more. */
const MANY = Array.from({ length: 100 }, (_, index) => createCapability(`bench-${index}`))

/** Each also lets `scoped-greet` greet one more name; World is the last. */
const MANY_SCOPES = MANY.map((capability, index): Capability => {
  const name = index === MANY.length - 1 ? 'World' : `World ${index}`
  const scoped = { identifier: 'allow-scoped-greet', allow: [{ name }] }
  return { ...capability, permissions: [...capability.permissions, scoped] }
})

export const authority: Arms = [
  busArm('open', 'no capability', { ...RING_JSON, capabilities: [] }),
  busArm('1-capability', '1 capability', RING_JSON),
  busArm('100-capabilities', '100 capabilities', { ...RING_JSON, capabilities: MANY }),
  busArm('100-scopes', '100, with scopes', { ...RING_JSON, capabilities: MANY_SCOPES }),
]

const TRACED = { ...RING_JSON, greet: 'traced' } as const
export const tracing: Arms = [
  { ...ringJson, id: 'off', title: 'nobody listens' },
  busArm('core', 'core listens', TRACED),
  busArm('both', 'both sides listen', { ...TRACED, module: new URL('?traced', workerUrl('frontend')) }),
]

/** A measurement fails unless the log received the handler's lines of its level, and no others. */
function logArm(level: 'info' | 'debug'): Arm {
  const seen = new Set<string>()
  const log = pino({ level }, { write: line => void seen.add((JSON.parse(line) as { msg: string }).msg) })
  const arm = busArm(level, `log at ${level}`, { ...RING_JSON, log })
  return wrap(arm, measure => async (task, payload) => {
    seen.clear()
    const figures = await measure(task, payload)
    const writesLines = payload.calls.some(({ command }) => command === 'logged_greet')
    if (writesLines && (!seen.has('greeted') || seen.has('asked') !== (level === 'debug')))
      throw new Error(`The log at ${level} received ${seen.size === 0 ? 'no lines' : [...seen].join(', ')}`)
    return figures
  })
}

/** Wraps the `measure` of an arm. */
const wrap = (arm: Arm, change: (measure: OpenArm['measure']) => OpenArm['measure']): Arm => ({
  ...arm,
  open: async () => {
    const opened = await arm.open()
    return { ...opened, measure: change(opened.measure) }
  },
})

export const logging: Arms = [busArm('off', 'no log', RING_JSON), logArm('info'), logArm('debug')]

const inspectedArm = (id: string, title: string, hasPage: boolean): Arm => ({
  ...ringJson,
  id,
  title,
  open: async () => {
    const { bus: opened, measure, close } = await bus.openBus(RING_JSON)
    try {
      const { url } = await opened.inspectServer()
      return { measure: hasPage ? measureWithPage(url, measure) : measure, close }
    } catch (error) {
      await close()
      throw error
    }
  },
})

/**
 * The page runs in the host's own thread, unlike a browser. It is closed between measurements, while other arms are measured. A
 * measurement fails unless the page received a snapshot in which the measuring frontend had made calls.
 */
function measureWithPage(inspector: string, measure: OpenArm['measure']): OpenArm['measure'] {
  return async (task, payload) => {
    const url = new URL(inspector)
    url.pathname = '/feed'
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent: false }, resolve).on('error', reject)
    })
    let updates = 0
    let rest = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\n\n')
      rest = messages.pop()!
      updates += messages.filter(hasCalls).length
    })
    try {
      const figures = await measure(task, payload)
      if (updates === 0) throw new Error('The page received no updates with calls')
      return figures
    } finally {
      response.destroy()
    }
  }
}

function hasCalls(message: string): boolean {
  const data = /^data: (.*)$/m.exec(message)?.[1]
  if (data === undefined) return false
  const { frontends } = JSON.parse(data) as { frontends: readonly { label: string; calls: number }[] }
  return frontends.some(({ label, calls }) => label === bus.LABEL && calls > 0)
}

export const inspector: Arms = [
  { ...ringJson, id: 'off', title: 'no inspector' },
  inspectedArm('open', 'open, no page', false),
  inspectedArm('page', 'one page', true),
]

/** The largest document: a frame of JSON or msgpack holds less than 16 MiB, and at most a million values. */
const MAX_DOCUMENT = 4 * 2 ** 20

/** Whether an arm of `payload` and `gate` has no figures for a payload. */
export const leavesOut = (armId: string, payload: Payload): boolean =>
  payloadBytes(payload) > MAX_DOCUMENT && !/-(bytes|given)$/.test(armId)

/** An arm that sends no documents that are too large for a frame. */
const sendDocuments = (arm: Arm, id: string, title: string): Arm => ({
  ...wrap(arm, measure => async (task, payload) => (leavesOut(id, payload) ? {} : measure(task, payload))),
  id,
  title,
})

/** An arm that sends documents as bytes, copied or transferred. */
const sendBytes = (arm: Arm, id: string, title: string): Arm => {
  const isCopied = id.endsWith('-bytes')
  const toBytes = (payload: Payload): Payload => {
    if (!payload.sized) throw new Error(`Payload '${payload.id}' has no size`)
    return { ...payload, id: `${payload.id}-bytes`, sized: { ...payload.sized, bytes: true } }
  }
  const wrapped = wrap(arm, measure => {
    // One object for each payload, because an arm is sent a payload only once.
    const known = new Map<Payload, Payload>()
    return async (task, payload) => {
      const bytes = known.get(payload) ?? toBytes(payload)
      known.set(payload, bytes)
      return measure(isCopied ? task : { ...task, loop: 'giving' }, bytes)
    }
  })
  return { ...wrapped, id, title, carries: isCopied ? 'bytes' : 'bytes, transferred' }
}

export const payload: Arms = [
  sendDocuments(rawPort, 'raw', 'raw clone'),
  sendBytes(rawPort, 'raw-given', 'raw transferred'),
  sendDocuments(ringJson, 'ring-json', 'JSON'),
  sendDocuments(ringMsgpack, 'ring-msgpack', 'msgpack'),
  sendBytes(ringJson, 'ring-bytes', 'bytes'),
  sendBytes(ringJson, 'ring-given', 'transferred'),
]

export const gate: Arms = [
  sendDocuments(rawPort, 'raw', 'raw clone'),
  sendDocuments(isolationRingJson, 'isolation-ring-json', 'encrypted JSON'),
  sendDocuments(bus.isolationRingMsgpack, 'isolation-ring-msgpack', 'encrypted msgpack'),
  sendBytes(isolationRingJson, 'isolation-ring-bytes', 'encrypted bytes'),
  sendBytes(isolationRingJson, 'isolation-ring-given', 'encrypted, transferred'),
  sendBytes(hookRingJson, 'hook-ring-bytes', 'gate alone, bytes'),
]
