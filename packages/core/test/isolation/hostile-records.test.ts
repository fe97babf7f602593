// Attacks on sealed records by a peer in place of a gate. A record that is not delivered once and in order ends its session: one error
// is reported, running handlers are aborted, and others are not affected. A frontend has no records: its frames pass its gate.
import { describe, expect, test } from 'vitest'
import { codecs } from '@sallyport/protocol/internal/codec'
import type { CallMessage } from '@sallyport/protocol/internal/message'
import { Outbox, packMessage } from '@sallyport/protocol/internal/rpc'
import { FRAME_KIND, type FrameKind } from '@sallyport/protocol/internal/wire'
import type { Sealer } from '@sallyport/protocol/internal/records'
import type { Core } from '../../src/core-thread/core.js'
import type { CommandContext } from '../../src/api/app.js'
import type { CoreReport } from '../../src/contract/host-core.js'
import { createFuzzed } from '../fuzz/core-target.js'
import { openGate } from '../fuzz/gate-target.js'
import { Random } from '../fuzz/random.js'
import { attachSealed, call, setUp, type Peer } from '../support/peer.js'
import { choose, rows } from '../../../../scripts/testing.js'

interface Delivery {
  body: Uint8Array
  kind: FrameKind
}
/** Records of one message: one, or two if it has an attachment. */
type Records = Uint8Array[]

const REFUSED = 'A record was refused, and its session is closed'
const INVALID_REQUEST = -32_600

let core: Core
let reports: CoreReport[]
/** The calls that ran, by label. */
let runs: Map<string, string[]>
const note = (label: string | undefined, what: string): void => void runs.get(label!)!.push(what)

/** Begins with a core of its own. */
async function begin(): Promise<void> {
  runs = new Map()
  const commands = {
    count: ({ name }: { name: string }, { label }: CommandContext) => note(label, name),
    forever: (_args: object, { label, signal }: CommandContext) =>
      new Promise(() => signal.addEventListener('abort', () => note(label, 'aborted'))),
  }
  ;({ core, reports } = await setUp('isolation', commands))
}

/** Seals calls of one session, each in records of its own. */
function createCaller(sealer: Sealer) {
  let lastId = 0
  return (method: string, params: object = {}): Records => {
    const records: Records = []
    const outbox = new Outbox(({ kind, body }, count) => void records.push(sealer.seal(kind, body, count).slice()))
    outbox.maxMessages = 1
    const message: CallMessage = { jsonrpc: '2.0', id: ++lastId, method, params }
    const { codec, encoded, attachments } = packMessage(codecs.msgpack, message)
    outbox.put(codec, encoded, attachments)
    return records
  }
}

interface Held {
  peer: Peer
  /** Was delivered. */
  first: Records
  second: Records
  third: Records
}

/** Attaches a peer that has made two calls, one of which runs, and that holds back the records of two more. */
async function hold(label: string, bytes?: Uint8Array): Promise<Held> {
  runs.set(label, [])
  const { peer, sealer } = await attachSealed(core, label)
  const seal = createCaller(sealer)
  const count = (name: string): Records => seal('count', bytes ? { name, bytes: bytes.slice() } : { name })
  const first = seal('count', { name: 'first' })
  deliver(peer, sealed([...first, ...seal('forever')]))
  expect(await peer.next()).toMatchObject({ id: 1, result: null })
  return { peer, first, second: count('second'), third: count('third') }
}

const sealed = (records: Records): Delivery[] => records.map(body => ({ body, kind: FRAME_KIND.sealed }))

function deliver(peer: Peer, deliveries: Delivery[]): void {
  for (const { body, kind } of deliveries) peer.send(body.slice(), kind)
}

/** Delivers frames, and then valid records, none of which is accepted any more. */
async function attack(label: string, { peer, second, third }: Held, deliveries: Delivery[], served: string[]) {
  deliver(peer, [...deliveries, ...sealed([...second, ...third])])
  for (const _name of served) expect(await peer.next()).toMatchObject({ result: null })
  expect(await peer.next()).toMatchObject({ id: null, error: { code: INVALID_REQUEST, message: REFUSED } })
  await peer.end()
  expect(peer.received).toEqual([])
  expect(runs.get(label)).toEqual(['first', ...served, 'aborted'])
  expect(reports).toMatchObject([
    { type: 'fault', label, error: { reason: 'InvalidRequest', message: REFUSED } },
    { type: 'closed', id: 1 },
  ])
}

/** Offsets in a record: 36 bytes of header, ciphertext, and 16 bytes of tag. */
const BODY_AT = 36
const FIELDS = { version: 0, count: 7, epoch: 11, sequence: 15, session: 16, length: 35, ciphertext: 36, tag: -1 }

const changed = (record: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(record)
  copy[at < 0 ? copy.length + at : at]! ^= 1
  return copy
}
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
const clear = (text: string): Delivery => ({ body: Buffer.from(text), kind: FRAME_KIND.json })

type Make = (held: Held, foreign: Held) => Delivery[]
const attacks: [name: string, served: string[], make: Make][] = [
  ['replays a record', ['second'], ({ second }) => sealed([...second, ...second])],
  ['replays an old record', ['second'], ({ first, second }) => sealed([...second, ...first])],
  ['replays a record out of order', [], ({ first }) => sealed(first)],
  ['changes the order', [], ({ second, third }) => sealed([...third, ...second])],
  ['drops a record', [], ({ third }) => sealed(third)],
  ['cuts a record', [], ({ second: [record] }) => sealed([record!.subarray(0, -1)])],
  ['cuts all but a header', [], ({ second: [record] }) => sealed([record!.subarray(0, BODY_AT)])],
  ['sends nothing as a record', [], () => sealed([new Uint8Array(0)])],
  ['lengthens a record', [], ({ second: [record] }) => sealed([joined(record!, Uint8Array.of(0))])],
  ['shortens the tag', [], ({ second: [record] }) => sealed([changed(record!.subarray(0, -12), FIELDS.length)])],
  ...Object.entries(FIELDS).map(([name, at]): (typeof attacks)[number] => [
    `flips a bit of the ${name}`,
    [],
    ({ second: [record] }) => sealed([changed(record!, at)]),
  ]),
  [
    'replaces the content of a record with that of another',
    [],
    ({ second: [second], third: [third] }) => sealed([joined(second!.subarray(0, BODY_AT), third!.subarray(BODY_AT))]),
  ],
  ['sends the record of another session', [], (_held, { second }) => sealed(second)],
  [
    'sends the record of another session as one of this session',
    [],
    ({ second: [held] }, { second: [foreign] }) =>
      sealed([joined(held!.subarray(0, BODY_AT), foreign!.subarray(BODY_AT))]),
  ],
  ['sends a clear frame', [], () => [clear(call(9, 'count', ',"params":{"name":"clear"}'))]],
  [
    'sends a clear frame of MessagePack',
    [],
    () => [{ body: codecs.msgpack.encode({ jsonrpc: '2.0', id: 9, method: 'count' }) as Uint8Array, kind: 2 }],
  ],
  ['sends a clear attachment', [], () => [{ body: new Uint8Array(2 ** 16), kind: FRAME_KIND.bytes }]],
  [
    'sends a clear rejection',
    [],
    () => [clear('{"jsonrpc":"2.0","method":"$/rejected","params":{"id":9,"error":{"code":1,"message":"x"}}}')],
  ],
  ['sends a record as a clear frame', [], ({ second: [record] }) => [{ body: record!, kind: FRAME_KIND.json }]],
]

describe('the session ends for a peer in place of a gate that', () => {
  test('replays, reorders, drops, cuts, changes or mixes records, or sends what is none', () =>
    rows(attacks)(async (_name, served, make) => {
      await begin()
      const foreign = await hold('foreign')
      const session = await hold('own')
      await attack('own', session, make(session, foreign), served)
      deliver(foreign.peer, sealed([...foreign.second, ...foreign.third]))
      expect([await foreign.peer.next(), await foreign.peer.next()]).toMatchObject([{ id: 3 }, { id: 4 }])
      expect(runs.get('foreign'), 'the other session is served').toEqual(['first', 'second', 'third'])
    }))

  test('delivers a message without its attachment, or with another', () =>
    rows<[string, (records: Records) => Records]>([
      ['of another message', ([bytes2, second, bytes3]) => [bytes3!, second!, bytes2!]],
      ['left out', ([, second]) => [second!]],
    ])(async (_name, make) => {
      await begin()
      const session = await hold('own', new Uint8Array(2 ** 16))
      expect(session.second).toHaveLength(2)
      await attack('own', session, sealed(make([...session.second, ...session.third])), [])
    }))

  test('delivers records of an earlier session of the same label', async () => {
    await begin()
    const earlier = await hold('again')
    earlier.peer.link.close()
    await expect.poll(() => reports).toMatchObject([{ type: 'closed' }])
    reports.length = 0
    await attack('again', await hold('again'), sealed(earlier.first), [])
  })
})

test.each(choose(['port', 'ring'] as const))(
  'a frontend over a %s cannot send a rejection past its gate',
  async link => {
    const fuzzed = await createFuzzed('isolation')
    const { wire } = await openGate(fuzzed, new Random(0), link, 'none')
    const params = { id: 'forged', error: { code: 1, message: 'forged' } }
    wire.ask({ method: '$/rejected', params })
    wire.ask({ id: 'request', method: '$/rejected', params })
    wire.ask({ id: 'probe', method: 'ok' })
    expect(await wire.settles('probe')).toBe(true)
    expect(wire.codes).toEqual([INVALID_REQUEST])
    expect(wire.has('forged')).toBe(false)
    wire.link.close()
    await fuzzed.close()
  },
)

test.each(choose(['port', 'ring'] as const))(
  'a frontend over a %s that sends a record ends its session',
  async link => {
    const fuzzed = await createFuzzed('isolation')
    const { wire } = await openGate(fuzzed, new Random(0), link, 'none')
    wire.send({ kind: FRAME_KIND.sealed, body: new Uint8Array(100) })
    wire.ask({ id: 'probe', method: 'count' })
    expect(await wire.settles('probe')).toBe(true)
    expect(wire.closed).toBe(true)
    expect(wire.codes).toEqual([INVALID_REQUEST])
    expect(fuzzed.ran.bad).toBe(0)
    await fuzzed.close()
  },
)
