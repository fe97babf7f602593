// A host whose thread is busy for longer than a page has to answer: the page has answered meanwhile, and stays.
import { Server } from 'node:net'
import { createBus, defineCore } from '@sallyport/core'
import { serveFrontends } from '@sallyport/web'
import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { WebOptions } from '@sallyport/web'
import { serve, tryConnect } from './raw.ts'

/** No heartbeat comes by itself. */
const HEARTBEAT_MS = 600_000

afterEach(() => void vi.restoreAllMocks())

async function start(options: Partial<WebOptions>) {
  const served = await serve(options)
  const { port, cookie } = served
  const state = new Int32Array(new SharedArrayBuffer(12))
  const page = new Worker(new URL('./fixtures/late-page.mjs', import.meta.url), { workerData: { port, cookie, state } })
  onTestFinished(async () => {
    await page.terminate()
    await served.close()
  })
  const messages = on(page, 'message')
  const next = async (): Promise<unknown> => ((await messages.next()).value as unknown[])[0]
  expect(await next()).toBe('greeted')
  /** Blocks this thread until the page has answered, and then for some time. */
  const block = (ms: number): void => {
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
    Atomics.wait(state, 1, 0)
    Atomics.wait(state, 2, 0, ms)
  }
  return { port, cookie, next, block }
}

test('no other tab takes the label of a page over', async () => {
  const { port, cookie, next, block } = await start({})
  const other = tryConnect(port, { cookie, origin: `http://127.0.0.1:${port}` }, '/sallyport', 'tab')
  expect(await next()).toBe('asked')
  block(2500)
  expect(await other).toBe(4409)
})

test('a heartbeat disconnects no page', async () => {
  const setIntervals = vi.spyOn(globalThis, 'setInterval')
  const { next, block } = await start({ heartbeat: HEARTBEAT_MS })
  const beat = setIntervals.mock.calls.find(([, ms]) => ms === HEARTBEAT_MS)![0] as () => void
  beat()
  expect(await next()).toBe('asked')
  // Due when the thread goes on, before it reads what has arrived.
  setTimeout(beat)
  block(10)
  expect(await next()).toBe('asked')
})

test('a bus that closes before the server of a page listens leaves no server', async () => {
  const bus = await createBus({ core: defineCore({}), log: false })
  onTestFinished(() => void vi.restoreAllMocks())
  let server: Server | undefined
  vi.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server, ...address: unknown[]) {
    void bus.close().then(() => (server = this.listen(...(address as []))))
    return this
  })
  const serving = serveFrontends(bus, { frontends: { main: { dir: new URL('./fixtures/', import.meta.url) } } })
  await expect(serving).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(server!.listening).toBe(false)
})
