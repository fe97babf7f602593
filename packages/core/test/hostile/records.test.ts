// Attacks on sealed records by the frontend that delivers them to core. Unless it delivers each record once, in order and in time,
// its session ends with one error that is reported; all its calls settle, and others are not affected.
import { BroadcastChannel } from 'node:worker_threads'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FRAME_KIND } from '@sallyport/protocol'
import { createBus, type Bus, type BusOptions, type Client, type IsolationOptions } from '../../src/index.js'
import { fixture, next, start } from '../start.js'

type Frames = Uint8Array[]
interface Held {
  first: Frames
  one: Frames
  two: Frames
  kinds: boolean[]
}
interface Outcome {
  settled: string[]
  errors: { code: number; message: string }[]
}

const REFUSED = 'A record was refused, and its session is closed'
const AGE = 30_000

const permissions = ['allow-count', 'allow-forever', 'allow-ran']
const isolated = (options: IsolationOptions = {}): BusOptions => ({
  core: fixture('counting.mjs'),
  app: {
    security: {
      pattern: { use: 'isolation', options },
      capabilities: [{ identifier: 'all', windows: ['*'], permissions }],
    },
  },
})

let bus: Bus
let honest: Client
const lines: { msg: string; level: number; label?: string }[] = []
const faults: { label: string; error: Error }[] = []
beforeAll(async () => {
  const log = pino({ level: 'error' }, { write: line => void lines.push(JSON.parse(line)) })
  bus = await createBus({ ...isolated(), supervision: { restart: 'temporary' }, log })
  bus.on('fault', fault => faults.push(fault))
  honest = await bus.connect('honest')
})
afterAll(() => bus.close({ timeout: 0 }))

/** Returns the label of an attack. */
const toLabel = (name: string): string => name.replaceAll(/\W+/g, '-')
const ran = (label: string): Promise<string[]> => honest.invoke('ran', { of: label })

/** Moves only core's clock. No other record is in flight meanwhile. */
async function moveClock(ahead: number, of = bus): Promise<void> {
  const moved = next(of, 'clock-set')
  await of.emit('clock', ahead)
  await moved
}

let rooms = 0
/** Creates a frontend that holds back the records of two calls: two frames for each if the call has `bytes`. */
async function hold(label: string, bytes = false) {
  const name = `records ${++rooms}, ${process.pid}`
  const room = new BroadcastChannel(name)
  room.unref()
  const heard = <T>(): Promise<T> =>
    new Promise(resolve => (room.onmessage = event => resolve((event as { data: T }).data)))
  const ready = heard<Held>()
  await bus.open(label, fixture('carrier.mjs'), { sandbox: 'none', link: 'port', data: { room: name, bytes } })
  const held = await ready
  expect(held.kinds.every(Boolean), 'all it carries is sealed').toBe(true)
  const called = bus.call(label, 'hang').catch((error: unknown) => error)
  return {
    held,
    async deliver(frames: Frames): Promise<Outcome & { called: unknown }> {
      const outcome = heard<Outcome>()
      room.postMessage(frames)
      const result = { ...(await outcome), called: await called }
      room.close()
      return result
    },
  }
}

const changed = (frame: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(frame)
  copy[at < 0 ? copy.length + at : at]! ^= 1
  return copy
}
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
const clear = (text: string): Uint8Array => joined(Uint8Array.of(FRAME_KIND.json), Buffer.from(text))
/** Offsets in a frame: its kind, then the record with 44 bytes of header, ciphertext, and 16 bytes of tag. */
const BODY_AT = 1 + 44

type Make = (held: Held, foreign: Held) => Frames
const attacks: [name: string, taken: string[], make: Make][] = [
  ['replays a record', ['one'], ({ one }) => [...one, ...one]],
  ['replays an old record', ['one'], ({ first, one }) => [...one, ...first]],
  ['replays a record out of order', [], ({ first }) => first],
  ['changes the order', [], ({ one, two }) => [...two, ...one]],
  ['drops a record', [], ({ two }) => two],
  ['cuts a record', [], ({ one: [frame] }) => [frame!.subarray(0, -1)]],
  ['cuts all but a header', [], ({ one: [frame] }) => [frame!.subarray(0, BODY_AT)]],
  ['sends nothing as a record', [], ({ one: [frame] }) => [frame!.subarray(0, 1)]],
  ['lengthens a record', [], ({ one: [frame] }) => [joined(frame!, Uint8Array.of(0))]],
  ['shortens the tag', [], ({ one: [frame] }) => [changed(frame!.subarray(0, -12), 1 + 43)]],
  ...['version', 1, 'count', 8, 'epoch', 12, 'sequence', 16, 'time', 24, 'session', 25, 'length', 44, 'ciphertext', 45]
    .flatMap((name, i, all) => (i % 2 ? [] : [[name, all[i + 1]] as [string, number]]))
    .concat([['tag', -1]])
    .map(([name, at]): (typeof attacks)[number] => [
      `flips a bit of ${name}`,
      [],
      ({ one: [frame] }) => [changed(frame!, at)],
    ]),
  [
    'puts one command in the place of another',
    [],
    ({ one: [one], two: [two] }) => [joined(one!.subarray(0, BODY_AT), two!.subarray(BODY_AT))],
  ],
  ['sends the record of another frontend', [], (_, foreign) => foreign.one],
  [
    'sends the record of another frontend as its own',
    [],
    ({ one: [one] }, { one: [theirs] }) => [joined(one!.subarray(0, BODY_AT), theirs!.subarray(BODY_AT))],
  ],
  ['sends a clear frame', [], () => [clear('{"jsonrpc":"2.0","id":9,"method":"count","params":{"name":"clear"}}')]],
  [
    'sends a record as a clear frame',
    [],
    ({ one: [one] }) => [joined(Uint8Array.of(FRAME_KIND.json), one!.subarray(1))],
  ],
  ['sends frames of the gate to core', [], () => [Uint8Array.of(FRAME_KIND.end)]],
]

/** Checks the effects of an offence: records before it were served, and none after it. */
async function expectEnded(label: string, taken: string[], { settled, errors, called }: Outcome & { called: unknown }) {
  const fault = () => faults.find(one => one.label === label)
  await expect.poll(fault).toMatchObject({ error: { reason: 'InvalidRequest', message: REFUSED } })
  await expect
    .poll(() => lines.filter(line => line.label === label))
    .toMatchObject([
      { level: 50, msg: 'fault' },
      { level: 50, msg: 'failed' },
    ])
  expect(errors).toEqual([{ code: -32_600, message: REFUSED }])
  expect(settled).toEqual([
    'Disconnected',
    ...['one', 'two'].map(name => (taken.includes(name) ? 'fulfilled' : 'Disconnected')),
  ])
  expect(called).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => ran(label)).toEqual(['first', ...taken, 'aborted'])
}

let foreign: Awaited<ReturnType<typeof hold>>
beforeAll(async () => {
  foreign = await hold('foreign')
})

test.each(attacks)('a frontend that %s', async (name, taken, make) => {
  const label = toLabel(name)
  const { held, deliver } = await hold(label)
  // Valid records follow: none is accepted any more.
  const outcome = await deliver([...make(held, foreign.held), ...held.one, ...held.two])
  await expectEnded(label, taken, outcome)
})

test.each([
  ['of another message', ([a, , b]: Frames, rest: Frames) => [b!, a!, ...rest]],
  ['left out', (_: Frames, rest: Frames) => rest],
])('a frontend that delivers a message with its attachment %s', async (name, make) => {
  const label = toLabel(`attachment ${name}`)
  const { held, deliver } = await hold(label, true)
  const [bytesOne, one] = held.one
  const [bytesTwo, two] = held.two
  await expectEnded(label, [], await deliver(make([bytesOne!, one!, bytesTwo!, two!], [one!, two!])))
})

test('a frontend that keeps a record for later', async () => {
  const { held, deliver } = await hold('late')
  await moveClock(AGE + 1000)
  const outcome = await deliver([...held.one, ...held.two])
  await moveClock(0)
  await expectEnded('late', [], outcome)
})

test('maxRecordAge limits the age of records', async () => {
  const patient = await start(isolated({ maxRecordAge: 2 * AGE }))
  const client = await patient.connect('tests')
  await moveClock(AGE + 1000, patient)
  expect(await client.invoke('ran', { of: '' })).toEqual([])
  await moveClock(2 * AGE + 1000, patient)
  const fault = new Promise(resolve => patient.on('fault', resolve))
  await expect(client.invoke('ran', { of: '' })).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(await fault).toMatchObject({ label: 'tests', error: { message: REFUSED } })
})

test('a frontend that delivers records of an earlier session', async () => {
  const before = await hold('again')
  await bus.closeFrontend('again')
  const { deliver } = await hold('again')
  const outcome = await deliver(before.held.first)
  expect(outcome.errors).toEqual([{ code: -32_600, message: REFUSED }])
  expect(outcome.settled).toEqual(['Disconnected', 'Disconnected', 'Disconnected'])
})

test('a frontend whose records were stolen is still served', async () => {
  void foreign.deliver([...foreign.held.one, ...foreign.held.two])
  await expect.poll(() => ran('foreign')).toEqual(['first', 'one', 'two'])
  expect(faults.map(({ label }) => label)).not.toContain('foreign')
})
