// Every way to send a document or bytes to another thread or process.
import { workerUrl } from '../shared/worker-url.js'
import type { Arm, Arms } from '../scenarios/scenario.js'
import { asBytes, type Payload } from '../scenarios/payloads.js'
import { busArm, hookRingJson, isolationRingJson, RING_JSON, ringJson, ringMsgpack } from './bus.js'
import { rawPort, textArm } from './threads.js'
import { withWall } from './wall.js'

const named = (arm: Arm, title: string): Arm => ({ ...arm, title })

/** An arm that sends the payload as bytes. */
function bytesArm(id: string, title: string, arm: Arm): Arm {
  const known = new Map<Payload, Payload>()
  const toBytes = (payload: Payload): Payload => {
    const bytes = known.get(payload) ?? asBytes(payload)
    known.set(payload, bytes)
    return bytes
  }
  const open: Arm['open'] = async () => {
    const opened = await arm.open()
    return { ...opened, measure: (task, payload) => opened.measure(task, toBytes(payload)) }
  }
  return { id, title, open }
}

const inProcess = (id: string, title: string, wall: 'none' | 'required'): Arm => {
  const read = [new URL('../', workerUrl('frontend'))]
  return busArm(id, title, { ...RING_JSON, sandbox: { kind: 'process', wall, read } })
}

/** The last four arms add to `ring JSON`. The reference is what Node does without a library. */
export const payloadArms = ({ isBytes }: { isBytes: boolean }): Arms => {
  const ring = isBytes ? 'ring' : 'ring JSON'
  return [
    named(rawPort, 'structured clone'),
    named(textArm(), isBytes ? 'JSON-RPC text, base64' : 'JSON-RPC text'),
    named(ringJson, isBytes ? 'ring, copied' : ring),
    ...(isBytes ? [] : [ringMsgpack, bytesArm('bytes-copied', 'ring, bytes', ringJson)]),
    named(hookRingJson, `${ring}, hook`),
    named(isolationRingJson, `${ring}, hook, encrypted`),
    inProcess('process', `${ring}, process`, 'none'),
    withWall(inProcess('process-wall', `${ring}, process, wall`, 'required')),
  ]
}

const FORMATS = ['text', 'ring-json', 'ring-msgpack', 'bytes-copied', 'hook-ring-json', 'isolation-ring-json']

/** The arms by which to choose a format, and whether messages pass a hook or are encrypted. */
export const formatArms = (): Arms => {
  const [reference, ...others] = payloadArms({ isBytes: false })
  return [reference, ...others.filter(({ id }) => FORMATS.includes(id))]
}
