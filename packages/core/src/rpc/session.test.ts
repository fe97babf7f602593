// A session whose messages take long lets others have their turn, however few they are.
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { afterEach, expect, test, vi } from 'vitest'
import { HOST_PERMITS } from '../acl/authority.js'
import { EventRouter } from '../events/router.js'
import { createCountsMemory, createLatency, SessionMetrics } from '../shared/metrics.js'
import { ConfirmRequests } from './approval.js'
import { ReadScheduler, Session, type SessionOptions } from './session.js'
import { AnswerScheduler } from './writer.js'

afterEach(() => vi.restoreAllMocks())

/** Adds 20 frames of one message that takes 100 ms. Returns how many messages are served in one tick. */
function countServed(bytes: number): number {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  let served = 0
  const reads: ReadScheduler = new ReadScheduler({ pause() {}, resume() {} }, serve)
  function serve(): void {
    for (; reads.isReady; served++, now += 100) reads.take()
  }
  for (let i = 0; i < 20; i++) if (reads.add([i], bytes)) serve()
  reads.stop()
  return served
}

test('pauses soon if few large messages take long', () => {
  expect(countServed(60_000)).toBe(5)
})

function open(options: Partial<SessionOptions> = {}) {
  const [near, far] = createLinkEndpoints('local')
  const faulted = createDeferred<Error>()
  const ended = createDeferred()
  const frames: string[] = []
  const client = openLink(far, true)
  client.receive({ frame: ({ body }) => frames.push(String(body)), closed: () => ended.resolve() })
  const session = new Session({
    ...{ label: 'main', codec: 'json', link: openLink(near, false), hasDeadlines: false, permits: HOST_PERMITS },
    ...{ registry: new Map(), router: new EventRouter(), scheduler: new AnswerScheduler() },
    metrics: new SessionMetrics(createCountsMemory(), createLatency),
    events: { fault: faulted.resolve, closed() {} },
    ...options,
  } as unknown as SessionOptions)
  const send = (body: string): void => client.send({ kind: FRAME_KIND.json, body })
  return { session, client, frames, send, faulted: faulted.promise, ended: ended.promise }
}

test('a message that core fails to handle ends its session, with the reason, and not the thread', async () => {
  const { frames, send, faulted, ended } = open({
    takeContext() {
      throw new RangeError('Maximum call stack size exceeded')
    },
  })
  send('{"jsonrpc":"2.0","id":1,"method":"greet"}')
  expect(await faulted).toMatchObject({
    reason: 'InternalError',
    cause: { message: 'Maximum call stack size exceeded' },
  })
  await ended
  expect(frames.join()).toMatch(/not handled(?!.*stack)/)
})

test('a call without an id that fails is told with the reason', async () => {
  const warned = vi.fn<(...said: unknown[]) => void>()
  const { send } = open({ events: { warned } as unknown as SessionOptions['events'] })
  send('{"jsonrpc":"2.0","method":"greet"}')
  const said = ['a call without an id failed', { command: 'greet', reason: 'MethodNotFound' }]
  await expect.poll(() => warned.mock.calls).toEqual([said])
})

test('what a frontend that is closed has answered is read, and what it calls is not', async () => {
  const takeContext = vi.fn<() => undefined>()
  const { session, client, frames, send } = open({ takeContext })
  const answer = session.frontendCalls.call('greet', {})
  await expect.poll(() => frames.length).toBe(1)
  session.leave()
  send('{"jsonrpc":"2.0","id":1,"method":"greet"}')
  send(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(frames[0]!).id, result: 'hello' }))
  client.close()
  expect(await answer).toBe('hello')
  expect(takeContext).not.toHaveBeenCalled()
})

test('what a frontend that is closed has emitted before is read', async () => {
  const takeContext = vi.fn<() => undefined>()
  const { session, send, client, ended } = open({ takeContext })
  session.leave()
  send('{"jsonrpc":"2.0","method":"plugin:event|emit","params":{"event":"done"}}')
  client.close()
  await ended
  expect(takeContext).toHaveBeenCalledOnce()
})

test('a session that has ended listens to nothing, and its label has the prompts that its code has opened', async () => {
  const router = new EventRouter()
  const confirmRequests = new ConfirmRequests(() => {})
  const limit = { router, confirmRequests, limitLabel: 'users', maxConfirms: 1 }
  const [first, second] = ['users 1', 'users 2'].map(label => open({ ...limit, label }).session)
  const ask = (session: Session): Promise<boolean> =>
    session.confirm('Really?', { label: session.name, command: 'ask', call: 1, signal: new AbortController().signal })
  const deliver = vi.spyOn(first!, 'deliver')
  router.listen('e', { kind: 'Any' }, first!)
  void ask(first!)
  await first!.close()
  router.emit('e', 1)
  expect(deliver).not.toHaveBeenCalled()
  const refused: string[] = []
  const askAgain = async (): Promise<number> => {
    ask(second!).catch(({ message }: Error) => refused.push(message))
    await new Promise(setImmediate)
    return refused.length
  }
  expect(await askAgain()).toBe(1)
  expect(refused).toEqual(['1 confirm requests of this label are already open'])
  void ask(open({ ...limit, limitLabel: 'others' }).session)
  confirmRequests.answer(1, true)
  expect([await askAgain(), await askAgain()]).toEqual([1, 2])
})

test('a session is drained once the frontend has answered core, too', async () => {
  const { session, frames, send } = open()
  const drained = vi.fn<() => void>()
  const answer = session.frontendCalls.call('greet', {})
  void session.drain().then(drained)
  await expect.poll(() => frames.length).toBe(1)
  expect(drained).not.toHaveBeenCalled()
  send(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(frames[0]!).id, result: 'hello' }))
  expect(await answer).toBe('hello')
  await expect.poll(() => drained).toHaveBeenCalledOnce()
})
