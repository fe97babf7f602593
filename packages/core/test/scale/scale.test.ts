// How the bus grows from a hundred frontends to ten thousand, in one thread: memory per frontend stays the same, a message costs the
// same however many there are, an event costs by its listeners, and those that have gone leave nothing. Work is counted and not
// timed. `npm run simulate -- --frontends N` gives other sizes, and the figures.
import { beforeAll, expect, test } from 'vitest'
// Before the code whose work it counts.
import './work.js'
import { measure, type BytesEach, type Measured, type WorkEach } from './measure.js'
import { tell } from './tell.js'

const { SALLYPORT_SCALE_FRONTENDS, SALLYPORT_SIMULATE_SEED } = process.env
const most = Number(SALLYPORT_SCALE_FRONTENDS ?? 10_000)
const seed = Number(SALLYPORT_SIMULATE_SEED ?? 1)
/** What code and its first calls take would count for a few frontends as theirs. */
const WARM_UP = 200
/** At least these are counted. */
const FEW = 100
/** A hundred times as many frontends: what depends on their number shows as much more than this. */
const SAME = 1.15

let few: Measured
let some: Measured
let many: Measured

beforeAll(async () => {
  await measure(WARM_UP, seed)
  few = await measure(FEW, seed)
  some = await measure(Math.max(2 * FEW, Math.ceil(most / 10)), seed)
  many = await measure(most, seed)
  if (SALLYPORT_SCALE_FRONTENDS) console.log(tell([few, some, many]))
}, 600_000)

test('each event, and each answer, comes to those it is for alone, as frontends come and go', () => {
  expect([few, some, many].flatMap(({ wrong }) => wrong)).toEqual([])
})

test.for<keyof BytesEach>(['session', 'client', 'listener'])(
  'a %s takes as much memory among ten times as many',
  part => {
    expect(many.bytes[part]).toBeGreaterThan(0)
    expect(many.bytes[part] / some.bytes[part]).toBeLessThan(SAME)
  },
)

test('a session takes no more than 10 KiB of core, a client as much, and a listener of both 4', () => {
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

test('an event costs by its listeners', () => {
  expect(many.work.eventToHundred / many.work.eventToOne).toBeLessThan(100 * SAME)
})

test('those that have gone leave nothing', () => {
  expect(many.bytes.left).toBeLessThan(many.bytes.session / 10)
})
