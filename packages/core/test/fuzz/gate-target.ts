// A gate over real links: of a hostile process with two sockets, or with a hostile peer that delivers its records to core, unchanged or
// tampered with.
import { RECORD_DIRECTION, type SessionKey } from '@sallyport/protocol/internal/contract'
import {
  createDirectTriangle,
  createLinkEndpoints,
  createTriangleEndpoints,
  openLink,
  SplitLink,
  StreamLink,
  type LinkEndpoint,
  type LinkKind,
} from '@sallyport/protocol/internal/link'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type FrameKind } from '@sallyport/protocol/internal/wire'
import { createSealer } from '@sallyport/protocol/internal/records'
import { serveGate } from '../../../isolation/src/gate/gate.js'
import { createHook } from '../../../isolation/src/hook/hook.js'
import { createHookWatch } from '../../../isolation/src/hook/hook-watch.js'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import type { Fuzzed } from './core-target.js'
import { openDirectEnd, type DirectEnd } from './direct-process.js'
import type { Random } from './random.js'
import { Wire } from './wire.js'

const TAMPERING = ['none', 'none', 'replay', 'drop', 'swap', 'cut', 'extend', 'flip', 'clear'] as const

export interface GateRun {
  /** The hostile frontend's end. */
  readonly wire: Wire
  /** Number of calls of `count` that the hook passed. */
  passed(): number
  /** A record was tampered with, so core must close the session. */
  tampered(): boolean
  /** The last record was held back, so its calls cannot be answered. */
  withheld(): boolean
}

/** An endpoint that sends to where `out` does, and receives what `inward` would. */
const receiveFrom = (out: LinkEndpoint, inward: LinkEndpoint): LinkEndpoint =>
  ({ ...out, in: (inward as { in: unknown }).in }) as LinkEndpoint

interface ServedGate {
  /** Number of calls of `count` that the hook passed. */
  passed(): number
  /** Returns the reason of the frontend's latest violation that the gate noticed. */
  fault(): string | undefined
}

async function serve(fuzzed: Fuzzed, coreEnd: LinkEndpoint, gateEnd: LinkEndpoint): Promise<ServedGate> {
  const keys = new MessageChannel()
  const received = once(keys.port2, 'message') as Promise<[SessionKey]>
  fuzzed.attach('bad', 'json', coreEnd, keys.port1)
  const [key] = await received
  keys.port2.close()
  let passed = 0
  let reason: string | undefined
  const hook = createHook(message => {
    const { cmd } = message as { cmd: string }
    if (cmd === 'forbidden') return null
    if (cmd === 'fails') throw new Error('the hook')
    if (cmd === 'count') passed++
    return cmd === 'later' ? Promise.resolve(message) : message
  })
  serveGate({
    link: openLink(gateEnd, false),
    sealer: createSealer({ ...key, direction: RECORD_DIRECTION }),
    hook,
    hookTimer: new SamplingTimer(),
    sealTimer: new SamplingTimer(),
    watch: createHookWatch(undefined),
    rejected: () => {},
    closed: fault => (reason ??= fault?.reason),
  })
  return { passed: () => passed, fault: () => reason }
}

export interface DirectGateRun extends ServedGate {
  readonly wire: Wire
  /** The socket to the gate, and the one from core. */
  readonly ends: readonly [DirectEnd, DirectEnd]
}

export async function openDirectGate(fuzzed: Fuzzed): Promise<DirectGateRun> {
  const ends = [await openDirectEnd(), await openDirectEnd()] as const
  const [toGate, fromCore] = ends
  const { core, gate } = createDirectTriangle([toGate.id, fromCore.id], 'port')
  const served = await serve(fuzzed, core, gate)
  return {
    ...served,
    ends,
    wire: new Wire(new SplitLink(new StreamLink(toGate.socket), new StreamLink(fromCore.socket))),
  }
}

export async function openGate(
  fuzzed: Fuzzed,
  random: Random,
  link: LinkKind,
  what: (typeof TAMPERING)[number] = random.pick(TAMPERING),
): Promise<GateRun> {
  const ends = createTriangleEndpoints(link)
  const [coreEnd, carrierEnd] = createLinkEndpoints(link)
  const { passed } = await serve(fuzzed, receiveFrom(ends.core, coreEnd), ends.gate)
  const wire = new Wire(openLink(ends.frontend, true), ends.frontend)
  const carrier = openLink(receiveFrom(carrierEnd, ends.core), false)
  let until = random.below(4)
  let held: Uint8Array | undefined
  let dropped = false
  let tampered = false
  const pass = (body: Uint8Array, kind: number = FRAME_KIND.sealed): void =>
    carrier.send({ kind: kind as FrameKind, body })
  const carry = (record: Uint8Array): void => {
    const body = Uint8Array.from(record)
    if (what === 'none' || tampered || until-- > 0) return pass(body)
    if (what === 'swap' && !held) return void (held = body)
    if (what === 'drop' && !dropped) return void (dropped = true)
    tampered = true
    const at = random.below(body.length)
    if (what === 'cut') return pass(body.subarray(0, at))
    if (what === 'extend') return pass(Buffer.concat([body, random.bytes(1 + random.below(20))]))
    if (what === 'clear') return pass(body, random.pick([FRAME_KIND.json, FRAME_KIND.msgpack]))
    if (what === 'flip') body[at]! ^= 1 << random.below(8)
    pass(body)
    if (what === 'replay') pass(body)
    if (held) pass(held)
  }
  carrier.receive({
    frame({ body }) {
      carry(body as Uint8Array)
      wire.wake()
    },
    closed: () => carrier.close(),
  })
  return {
    wire,
    passed,
    tampered: () => tampered,
    withheld: () => !tampered && (held !== undefined || dropped),
  }
}
