// The bus with a hundred and with ten thousand frontends, in one thread: memory per frontend and the work for a message do not grow,
// the work for an event depends on its listeners, and disconnected frontends leave nothing. Work is counted instead of timed.
// `npm run simulate -- --frontends N` runs other sizes, and prints the figures.
import { beforeAll, expect, test } from 'vitest'
// Imported before the code whose work it counts.
import './work.js'
import { measure, type BytesEach, type Measured, type WorkEach } from './measure.js'
import { formatTable } from './table.js'

const { SALLYPORT_SCALE_FRONTENDS, SALLYPORT_SIMULATE_SEED } = process.env
const most = Number(SALLYPORT_SCALE_FRONTENDS ?? 10_000)
const seed = Number(SALLYPORT_SIMULATE_SEED ?? 1)
/** Frontends for warm-up: otherwise the memory of code and first calls would be attributed to few frontends. */
const WARM_UP = 200
/** Least difference in work that counts. */
const FEW = 100
/** Highest allowed growth with a hundred times as many frontends. Work that depends on their number grows far more. */
const SAME = 1.15

let few: Measured
let some: Measured
let many: Measured

beforeAll(async () => {
  await measure(WARM_UP, seed)
  few = await measure(FEW, seed)
  some = await measure(Math.max(2 * FEW, Math.ceil(most / 10)), seed)
  many = await measure(most, seed)
  if (SALLYPORT_SCALE_FRONTENDS) console.log(formatTable([few, some, many]))
}, 600_000)

test('each event and answer reaches only its receivers while frontends come and go', () => {
  expect([few, some, many].flatMap(({ wrong }) => wrong)).toEqual([])
})

test.for<keyof BytesEach>(['session', 'client', 'listener'])(
  'the memory of a %s is the same among ten times as many',
  part => {
    expect(many.bytes[part]).toBeGreaterThan(0)
    expect(many.bytes[part] / some.bytes[part]).toBeLessThan(SAME)
  },
)

test('a session and a client take at most 10 KiB each, and a listener 4 KiB', () => {
  expect(many.bytes.session).toBeLessThan(10 * 1024)
  expect(many.bytes.client).toBeLessThan(10 * 1024)
  expect(many.bytes.listener).toBeLessThan(4 * 1024)
})

test.for<keyof WorkEach>(['call', 'eventToOne', 'eventToHundred', 'emitTo', 'eventToAll', 'connect', 'leave'])(
  'the work of %s is the same among a hundred times as many',
  kind => {
    expect(few.work[kind]).toBeGreaterThan(10)
    expect(many.work[kind] / few.work[kind]).toBeLessThan(SAME)
  },
)

test('the work for an event grows with its listeners', () => {
  expect(many.work.eventToHundred / many.work.eventToOne).toBeLessThan(100 * SAME)
})

test('disconnected frontends leave nothing behind', () => {
  expect(many.bytes.left).toBeLessThan(many.bytes.session / 10)
})
