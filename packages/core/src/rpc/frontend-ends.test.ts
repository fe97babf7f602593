import type { BusError } from '@sallyport/protocol/internal/errors'
import { Streams, type StreamWriter } from '@sallyport/protocol/internal/rpc'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FrontendCalls } from './frontend-calls.js'
import { FrontendEnds } from './frontend-ends.js'
import { toCounts } from '../shared/metrics.js'

const LINK = 1
const end = { why: 'it left', error: undefined, ranCode: true }

/** A call that its frontend has not answered: `close` ends its session, and `told` are the error texts of the call and of a later one. */
function start() {
  const ends = new FrontendEnds()
  ends.begin('main', LINK)
  const told: string[] = []
  const delivered: unknown[] = []
  const writer = { request: () => {}, send: () => {}, error: (_id: unknown, _method: string, error: never) => error }
  const streams = new Streams({ writer: {} as StreamWriter, toError: thrown => thrown as BusError })
  const calls = new FrontendCalls({ label: 'main', codec: 'json' }, writer, toCounts(), () => {}, streams)
  calls.call('f', {}).catch(({ message, data }: BusError) => {
    told.push(message)
    delivered.push(data)
  })
  const close = (): void => {
    calls.disconnect()
    ends.ended('main', LINK, calls)
  }
  const callLater = async (): Promise<void> => {
    await ends.known('main')
    told.push(ends.createError('main', ['mail']).message)
  }
  return { ends, told, delivered, close, callLater }
}

test('a call is rejected once its session has ended and the host has said why, and was not delivered to code that had not begun', () =>
  rows([
    [['close', 'detach'], true, 'unknown'],
    [['detach', 'close'], true, 'unknown'],
    [['close', 'detach'], false, 'no'],
    [['detach', 'close'], false, 'no'],
  ] as const)(async (order, ranCode, data) => {
    const { ends, told, delivered, close } = start()
    for (const step of order) {
      expect(told).toEqual([])
      if (step === 'close') close()
      else ends.detach(LINK, { ...end, ranCode })
      await new Promise(setImmediate)
    }
    expect(told).toEqual(['The frontend "main" disconnected: it left'])
    expect(delivered).toEqual([{ delivered: data }])
  }))

test('a later call waits for the reason, which others get until the label is used again', async () => {
  const { ends, told, close, callLater } = start()
  close()
  const later = callLater()
  ends.explain('main', end)
  ends.detach(LINK, end)
  await later
  await new Promise(setImmediate)
  expect(new Set(told)).toEqual(
    new Set(['The frontend "main" disconnected: it left', 'There is no frontend "main": it left']),
  )
  ends.begin('main', 2)
  expect(ends.createError('main', ['mail']).message).toBe('There is no frontend "main" (did you mean "mail"?)')
})

test('a later call says that the frontend restarts, until it is known that it does not', () => {
  const { ends } = start()
  const getError = (): string => ends.createError('main', ['mail']).message
  const restarting = 'The frontend "main" is restarting, call it again later'
  ends.explain('main', undefined, true)
  expect(getError()).toBe(restarting)
  ends.explain('main', end, true)
  expect(getError()).toBe(`${restarting}: it left`)
  ends.explain('main', undefined)
  expect(getError()).toBe('There is no frontend "main" (did you mean "mail"?)')
})

test('a call is rejected without a reason when there is none', () =>
  rows([
    ['the host ends the frontend, or replaces its link', (ends: FrontendEnds) => ends.detach(LINK, undefined)],
    ['core closes', (ends: FrontendEnds) => ends.close()],
  ])(async (_name, act) => {
    const { ends, told, close } = start()
    close()
    act(ends)
    await new Promise(setImmediate)
    expect(told).toEqual(['The frontend "main" disconnected'])
  }))

test('a thousand reasons are remembered', () => {
  const ends = new FrontendEnds()
  for (let i = 0; i < 1001; i++) ends.explain(`f${i}`, end)
  expect(ends.createError('f0', []).message).toBe('There is no frontend "f0"')
  expect(ends.createError('f1', []).message).toBe('There is no frontend "f1": it left')
})
