import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HOST_PERMITS } from '../acl/authority.js'
import { EventRouter } from '../events/router.js'
import { createCounts, createLatency, SessionMetrics } from '../shared/metrics.js'
import type { Session } from './session.js'
import { type AddedSession, Sessions } from './sessions.js'

const LINK = 1

/** The sessions of a core with the frontend 1, which is called "main". `heard` has the labels of frontends whose ends were emitted. */
function openSessions(isAnnounced: boolean) {
  const router = new EventRouter()
  const heard: unknown[] = []
  router.listen('tauri://destroyed', { kind: 'Any' }, { label: 'other', deliver: (_, { value }) => heard.push(value) })
  const sessions = new Sessions({ router, getLog: vi.fn<never>(), report() {} })
  sessions.know(1, 'main', isAnnounced)
  const ended = vi.fn<(isCodeOver: boolean) => void>()
  const add = (): Session =>
    sessions.add({
      ...{ label: 'main', frontend: 1, linkId: LINK, limitLabel: undefined, codec: 'json', permits: HOST_PERMITS },
      ...{ link: openLink(createLinkEndpoints('local')[0], false), registry: new Map(), hasDeadlines: false, ended },
      metrics: new SessionMetrics(createCounts(), createLatency),
    } as unknown as AddedSession)
  const endCode = () => sessions.codeEnded(1, { end: undefined, next: 'restart', drops: false })
  return { sessions, heard, ended, add, endCode }
}

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

test('a frontend has ended with its session if its code has, and nothing else has its label', () =>
  rows([
    ['its code goes on', false, false, false, []],
    ['its code has ended', true, false, true, [{ label: 'main' }]],
    ['its label is used again', true, true, false, [{ label: 'main' }]],
  ])((_what, ends, isReplaced, isCodeOver, events) => {
    const { heard, ended, add, endCode } = openSessions(true)
    const session = add()
    if (ends) endCode()
    if (isReplaced) add()
    expect(heard).toEqual([])
    void session.close()
    expect(ended.mock.calls).toEqual([[isCodeOver]])
    expect(heard).toEqual(events)
  }))
