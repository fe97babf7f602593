// The calls before a gate's first one: every one is passed on, and nothing of them is left. The end of a gate whose frontend does not read.
import { FRAME_KIND, RING_BYTES } from '@sallyport/protocol/internal/wire'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { expect, test, vi } from 'vitest'
import { runGate, warmUpGate } from './run-gate.js'

test('a gate passes its calls on, and both of its ends close', async () => {
  // Each end of a ring has an interval until it is closed.
  const opened = vi.spyOn(globalThis, 'setInterval')
  const closed = vi.spyOn(globalThis, 'clearInterval')
  await warmUpGate()
  expect(opened).toHaveBeenCalledTimes(2)
  const timers = opened.mock.results.map(({ value }) => value as unknown)
  await expect.poll(() => closed.mock.calls.flat()).toEqual(expect.arrayContaining(timers))
})

test('a gate that is asked to stop waits for who takes what its link has no room for, and one that is reloaded alone does not', async () => {
  const reports: { state?: string }[] = []
  let command!: (message: object) => void
  const host = {
    onMessage: (listener: typeof command) => (command = listener),
    onTerminate() {},
    failThread() {},
    exit() {},
  }
  const none = { dir: undefined, confirm: undefined, watch: undefined, heartbeat: undefined, times: undefined }
  const data = { label: 'main', legacyMessages: false, development: false, isShared: false, ...none }
  runGate({ ...host, postMessage: report => reports.push(report as object) }, data)
  const { port1, port2 } = new MessageChannel()
  const [near, far] = createLinkEndpoints('ring')
  command({ type: 'link', id: 1, link: far, key: port2 })
  port1.postMessage({ session: new Uint8Array(16), secret: new Uint8Array(32) })
  await expect.poll(() => reports).toContainEqual({ type: 'state', state: 'ready', error: undefined })
  const frontend = openLink(near, true)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'm', params: { text: 'x'.repeat(RING_BYTES * 0.4) } })
  for (let count = 0; count < 4; count++) frontend.send({ kind: FRAME_KIND.json, body })
  await frontend.room()
  command({ type: 'stop', timeout: 1 })
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect(reports.at(-1)).toMatchObject({ state: 'draining' })
  command({ type: 'stop', timeout: 0 })
  frontend.receive({ frame() {}, closed() {} })
  await expect.poll(() => reports.at(-1)).toMatchObject({ state: 'stopped' })
  frontend.close()
})
