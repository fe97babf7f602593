import { BatchReader, codecs } from '@sallyport/protocol/internal/codec'
import { createLinkEndpoints, type LinkEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HOST_PERMITS } from '../acl/authority.js'
import { EventRouter } from '../events/router.js'
import { createCountsMemory, createLatency, SessionMetrics } from '../shared/metrics.js'
import type { Session } from './session.js'
import { type AddedSession, Sessions } from './sessions.js'

const LINK = 1

/** The sessions of a core with the frontend 1, which is called "main". `heard` has the labels of frontends whose ends were emitted. */
function openSessions(isAnnounced: boolean) {
  const router = new EventRouter()
  const heard: unknown[] = []
  router.listen('tauri://destroyed', { kind: 'Any' }, { label: 'other', deliver: (_, { value }) => heard.push(value) })
  const begun: unknown[] = []
  router.listen(
    'tauri://webview-created',
    { kind: 'Any' },
    { label: 'other', deliver: (_, { value }) => begun.push(value) },
  )
  const sessions = new Sessions({ router, getLog: vi.fn<never>(), report() {} })
  sessions.know(1, 'main', isAnnounced)
  const ended = vi.fn<(isCodeOver: boolean) => void>()
  const add = (end: LinkEndpoint = createLinkEndpoints('local')[0], limitLabel?: string, frontend = 1): Session =>
    sessions.add({
      ...{ label: 'main', frontend, linkId: LINK, limitLabel, codec: 'json', permits: HOST_PERMITS },
      ...{ link: openLink(end, false), registry: new Map(), hasDeadlines: false, ended },
      metrics: new SessionMetrics(createCountsMemory(), createLatency),
    } as unknown as AddedSession)
  const endCode = () => sessions.codeEnded(1, { end: undefined, next: 'restart', drops: false })
  return { sessions, heard, begun, ended, add, endCode }
}

test('others hear once that code begins, and again once it has ended', () => {
  const { sessions, begun, endCode } = openSessions(false)
  for (let times = 0; times < 2; times++) sessions.begin(1)
  expect(begun).toEqual([{ label: 'main' }])
  endCode()
  sessions.begin(1)
  expect(begun).toHaveLength(2)
})

test('others hear once of the end of code that they knew of', () =>
  rows([
    ['it had not begun', false, false, []],
    ['it had begun', false, true, [{ label: 'main' }]],
    ['it had begun before', true, false, [{ label: 'main' }]],
  ])((_what, isAnnounced, begins, events) => {
    const { sessions, heard, endCode } = openSessions(isAnnounced)
    if (begins) sessions.begin(1)
    endCode()
    endCode()
    expect(heard).toEqual(events)
  }))

test('all sessions of a frontend have one life, which is not that of the next frontend with its label', () => {
  const { add, endCode } = openSessions(true)
  const first = add()
  endCode()
  expect(add().life).toBe(first.life)
  expect(add(undefined, undefined, 2).life).not.toBe(first.life)
})

test('a frontend has ended with its session if its code has, and it has no other session', () =>
  rows([
    ['its code goes on', false, undefined, false, []],
    ['its code has ended', true, undefined, true, [{ label: 'main' }]],
    ['it has another session', true, 1, false, [{ label: 'main' }]],
    ['another frontend has its label', true, 2, true, [{ label: 'main' }]],
  ])((_what, ends, next, isCodeOver, events) => {
    const { heard, ended, add, endCode } = openSessions(true)
    const session = add()
    if (ends) endCode()
    if (next !== undefined) add(undefined, undefined, next)
    expect(heard).toEqual([])
    void session.close()
    expect(ended.mock.calls).toEqual([[isCodeOver]])
    expect(heard).toEqual(events)
  }))

test('the sessions of a label share its limits for as long as they are open', () => {
  const { add } = openSessions(true)
  const [first, second, other] = ['users', 'users', 'others'].map(label => add(undefined, label))
  const count = (): unknown[] => [first, second, other].map(session => session!.addUp(() => 1))
  expect(count()).toEqual([2, 2, 1])
  void first!.close()
  expect(second!.addUp(() => 1)).toBe(1)
  expect(add(undefined, 'users').addUp(() => 1)).toBe(2)
})

test('core that ends waits for a frontend that reads nothing for long', async () => {
  const { sessions, add } = openSessions(true)
  const [near, far] = createLinkEndpoints('ring', 'never', 1024)
  add(near)
  const [frontend, { kind, encode, join }] = [openLink(far, true), codecs.json]
  const ids = Array.from({ length: 20 }, (_, id) => id)
  // In one frame, so that the answers leave in one, which has no room.
  frontend.send({ kind, body: join(ids.map(id => encode({ jsonrpc: '2.0', id, method: 'missing' }) as string)) })
  await expect.poll(() => frontend.queued).toBe(0)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
  onTestFinished(() => void vi.useRealTimers())
  const closed = sessions.close()
  vi.advanceTimersByTime(3_600_000)
  vi.useRealTimers()
  const answers: unknown[] = []
  frontend.receive({
    frame: frame => void answers.push(...new BatchReader().read(frame.kind, frame.body)),
    closed() {},
  })
  await closed
  await expect.poll(() => answers).toHaveLength(20)
})
