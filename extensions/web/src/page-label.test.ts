import type { ExternalFrontend } from '@sallyport/core/internal'
import { afterEach, expect, test, vi } from 'vitest'
import { CLOSE_UNAVAILABLE } from './contract/greeting.js'
import { PageLabel } from './page-label.js'
import type { PageSocket } from './page-socket.js'

afterEach(() => void vi.useRealTimers())

test('the label of a page that has left waits for it while the server was suspended', async () => {
  vi.useFakeTimers()
  const close = vi.fn<() => Promise<void>>()
  const frontend = { join() {}, leave() {}, close } as unknown as ExternalFrontend
  const open = vi.fn<(label: string) => Promise<ExternalFrontend>>(() => Promise.resolve(frontend))
  const label = new PageLabel({
    ...{ label: 'main', multiple: true, frontend },
    open,
    limits: { maxHandshakes: 1, maxMessageBytes: 1 },
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
  const frontend = { join() {}, leave() {} } as unknown as ExternalFrontend
  const taken = new Error('Frontend "main-2" already exists')
  const label = new PageLabel({
    ...{ label: 'main', multiple: true, frontend },
    open: () => Promise.reject(taken),
    limits: { maxHandshakes: 1, maxMessageBytes: 1 },
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
