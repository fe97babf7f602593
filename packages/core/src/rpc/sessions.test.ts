import type { BusError } from '@sallyport/protocol/internal/errors'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { Streams, type StreamWriter } from '@sallyport/protocol/internal/rpc'
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HOST_PERMITS } from '../acl/authority.js'
import { EventRouter } from '../events/router.js'
import { createCounts, createLatency, SessionMetrics } from '../shared/metrics.js'
import { FrontendCalls } from './frontend-calls.js'
import type { Session } from './session.js'
import { type AddedSession, FrontendEnds, Sessions } from './sessions.js'

const LINK = 1
const end = { why: 'it left', error: undefined, ranCode: true }

/** A call that its frontend has not answered: `close` ends its session, and `told` are the error texts of the call and of a later one. */
function start() {
  const ends = new FrontendEnds()
  ends.begin('main', LINK)
  const told: string[] = []
  const writer = { request: () => {}, send: () => {}, error: (_id: unknown, _method: string, error: never) => error }
  const streams = new Streams({ writer: {} as StreamWriter, toError: thrown => thrown as BusError })
  const calls = new FrontendCalls({ label: 'main', codec: 'json' }, writer, new Float64Array(16), () => {}, streams)
  calls.call('f', {}).catch((error: Error) => told.push(error.message))
  const close = (): void => {
    calls.disconnect()
    ends.ended('main', LINK, calls)
  }
  const callLater = async (): Promise<void> => {
    await ends.known('main')
    told.push(ends.createError('main', ['mail']).message)
  }
  return { ends, told, close, callLater }
}

test('a call is rejected once its session has ended and the host has said why, in either order', () =>
  rows([[['close', 'detach']], [['detach', 'close']]] as const)(async order => {
    const { ends, told, close } = start()
    for (const step of order) {
      expect(told).toEqual([])
      if (step === 'close') close()
      else ends.detach(LINK, end)
      await new Promise(setImmediate)
    }
    expect(told).toEqual(['The frontend "main" disconnected: it left'])
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

/** The sessions of a core with the frontend 1, which is called "main". `heard` has the labels of frontends whose ends were emitted. */
function openSessions(isAnnounced: boolean) {
  const router = new EventRouter()
  const heard: unknown[] = []
  router.listen('tauri://destroyed', { kind: 'Any' }, { label: 'other', deliver: (_, { value }) => heard.push(value) })
  const sessions = new Sessions({ router, getLog: vi.fn<never>(), report() {} })
  sessions.know(1, 'main', isAnnounced)
  const ended = vi.fn<(isIdle: boolean) => void>()
  const add = (): Session =>
    sessions.add({
      ...{ label: 'main', frontend: 1, linkId: LINK, limitLabel: undefined, codec: 'json', permits: HOST_PERMITS },
      ...{ link: openLink(createLinkEndpoints('local')[0], false), registry: new Map(), hasDeadlines: false, ended },
      metrics: new SessionMetrics(createCounts(), createLatency),
    } as unknown as AddedSession)
  const idle = () => sessions.idle(1, { end: undefined, next: 'restart', drops: false })
  return { sessions, heard, ended, add, idle }
}

test('others hear once of the end of code that they knew of', () =>
  rows([
    ['it had not begun', false, false, []],
    ['it had begun', false, true, [{ label: 'main' }]],
    ['it had begun before', true, false, [{ label: 'main' }]],
  ])((_what, isAnnounced, begins, events) => {
    const { sessions, heard, idle } = openSessions(isAnnounced)
    if (begins) sessions.begin(1)
    idle()
    idle()
    expect(heard).toEqual(events)
  }))

test('a frontend has ended with its session if its code has, and nothing else has its label', () =>
  rows([
    ['its code goes on', false, false, false, []],
    ['its code has ended', true, false, true, [{ label: 'main' }]],
    ['its label is used again', true, true, false, [{ label: 'main' }]],
  ])((_what, ends, isReplaced, isIdle, events) => {
    const { heard, ended, add, idle } = openSessions(true)
    const session = add()
    if (ends) idle()
    if (isReplaced) add()
    expect(heard).toEqual([])
    void session.close()
    expect(ended.mock.calls).toEqual([[isIdle]])
    expect(heard).toEqual(events)
  }))
