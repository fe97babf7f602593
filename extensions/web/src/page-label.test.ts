import type { ExternalFrontend } from '@sallyport/core/internal'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { CLOSE_IN_USE, CLOSE_UNAVAILABLE } from './contract/greeting.js'
import { PageLabel } from './page-label.js'
import { PageSocket } from './page-socket.js'
import { IncompleteMessages } from './web-socket-link.js'

afterEach(() => void vi.useRealTimers())

const exited = new Promise<undefined>(() => {})
const isInUse = (): boolean => false
const limits = { maxHandshakes: 1, maxMessageBytes: 1 }

test('the label of a page that has left waits for it while the server was suspended', async () => {
  vi.useFakeTimers()
  const close = vi.fn<() => Promise<void>>()
  const frontend = { join() {}, leave() {}, close, exited } as unknown as ExternalFrontend
  const open = vi.fn<(label: string) => Promise<ExternalFrontend>>(() => Promise.resolve(frontend))
  const label = new PageLabel({
    ...{ label: 'main', multiple: true, frontend },
    ...{ open, isInUse, limits },
  })
  const createPage = (tab: string, closed: Promise<void>) => ({ tab, closed, createCode() {} }) as unknown as PageSocket
  void label.admit(createPage('first', new Promise(() => {})))
  await label.admit(createPage('second', Promise.resolve()))
  // Late, and before the page that has come back is read.
  await vi.advanceTimersToNextTimerAsync()
  expect(close).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(close).toHaveBeenCalledOnce()
  await label.admit(createPage('second', Promise.resolve()))
  expect(open.mock.calls, 'its frontend has ended').toEqual([['main-2'], ['main-2']])
})

test('a further page whose label another frontend has is refused, and no rejection is left when its place is given up', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  const frontend = { join() {}, leave() {}, exited } as unknown as ExternalFrontend
  const taken = new Error('Frontend "main-2" already exists')
  const label = new PageLabel({
    ...{ label: 'main', multiple: true, frontend },
    open: () => Promise.reject(taken),
    ...{ isInUse, limits },
  })
  const refuse = vi.fn<PageSocket['refuse']>()
  const createPage = (tab: string) =>
    ({ tab, closed: new Promise(() => {}), createCode() {}, refuse }) as unknown as PageSocket
  void label.admit(createPage('first'))
  await expect(label.admit(createPage('second'))).rejects.toBe(taken)
  expect(refuse.mock.calls).toEqual([[CLOSE_UNAVAILABLE, '']])
  vi.advanceTimersByTime(60_000)
  await new Promise(setImmediate)
  process.off('unhandledRejection', onRejection)
  expect(rejections).toEqual([])
})

test('a further page gets the next number whose label nobody has', async () => {
  const frontend = { join() {}, leave() {}, exited } as unknown as ExternalFrontend
  const open = vi.fn<(label: string) => Promise<ExternalFrontend>>(() => Promise.resolve(frontend))
  const label = new PageLabel({
    ...{ label: 'main', multiple: true, frontend, open, limits },
    isInUse: name => name === 'main-2',
  })
  const createPage = (tab: string) => ({ tab, closed: new Promise(() => {}), createCode() {} }) as unknown as PageSocket
  void label.admit(createPage('first'))
  void label.admit(createPage('second'))
  expect(open.mock.calls).toEqual([['main-3']])
})

test('a label that the app closes ends all of its pages, and opens again for the next one', async () => {
  const createFrontend = () => {
    const ended = createDeferred<undefined>()
    const join = vi.fn<() => void>()
    const close = (): Promise<undefined> => (ended.resolve(undefined), ended.promise)
    return { join, leave() {}, close, exited: ended.promise } as unknown as ExternalFrontend
  }
  const [first, further, next] = [createFrontend(), createFrontend(), createFrontend()]
  const open = vi.fn<(label: string) => Promise<ExternalFrontend>>(async name => (name === 'main' ? next : further))
  const label = new PageLabel({ ...{ label: 'main', multiple: true, frontend: first, open, isInUse, limits } })
  const createPage = (tab: string, frontend: ExternalFrontend) =>
    ({ tab, closed: frontend.exited, createCode() {} }) as unknown as PageSocket
  const pages = [label.admit(createPage('first', first)), label.admit(createPage('second', further))]
  await first.close()
  await Promise.all(pages)
  void label.admit(createPage('third', next))
  await vi.waitFor(() => expect(next.join).toHaveBeenCalledOnce())
  expect(open.mock.calls).toEqual([['main-2'], ['main']])
  expect(label.frontend).toBe(next)
})

test('what a page sends after it was refused is not kept', async () => {
  const socket = Object.assign(new EventEmitter(), { isPaused: false, pause() {}, resume() {}, close() {} })
  const pageLimits = { heartbeat: 60_000, maxMessageBytes: 2 ** 20 }
  const incomplete = new IncompleteMessages(2 ** 20)
  const page = new PageSocket(socket as unknown as WebSocket, new PassThrough(), 'tab', pageLimits, incomplete)
  page.refuse(CLOSE_IN_USE, 'in use')
  for (let n = 0; n < 3; n++) socket.emit('message', Buffer.from(`{"id":${n}}`), false)
  const { link } = page.createCode({} as ExternalFrontend)
  const kept: unknown[] = []
  link.receive({ frame: frame => kept.push(frame), closed() {} })
  await Promise.resolve()
  expect(kept).toEqual([])
  socket.emit('close')
  await page.closed
})
