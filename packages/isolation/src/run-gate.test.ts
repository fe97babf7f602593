// The start and the end of a gate: every call before its first one is passed on, and it stays until its last record has left.
import type { GateCommand, SessionKey } from '@sallyport/protocol/internal/contract'
import { openLink } from '@sallyport/protocol/internal/link'
import { createSessionSecret } from '@sallyport/protocol/internal/records'
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { createRingBuffer } from '../../protocol/src/link/ring/ring-buffer.js'
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

test('a gate stays until its last record has left, whose frame has arrived with the end of its frontend', async () => {
  const exit = vi.fn<(code: number) => void>()
  let handle!: (command: GateCommand) => void
  const states: unknown[] = []
  const host = {
    postMessage: (report: unknown) => void states.push((report as { state?: unknown }).state),
    onMessage: (take: (message: unknown) => void) => (handle = take),
  }
  const start = { label: 'a', dir: undefined, legacyMessages: false, development: true, isShared: false }
  const unused = { heartbeat: undefined, confirm: undefined, watch: undefined, times: undefined }
  runGate({ ...host, exit, onTerminate() {}, failThread() {} }, { ...start, ...unused })
  const [toGate, toCore, toFrontend] = [createRingBuffer(2 ** 20), createRingBuffer(1024), createRingBuffer(1024)]
  const open = { kind: 'ring', poll: 'never' } as const
  const frontend = openLink({ ...open, out: toGate, in: toFrontend }, true)
  const core = openLink({ ...open, out: toFrontend, in: toCore }, false)
  frontend.receive({ frame() {}, closed() {} })
  frontend.send({ kind: 1, body: JSON.stringify({ jsonrpc: '2.0', method: 'a', params: { text: 'x'.repeat(4000) } }) })
  frontend.close()
  const { port1, port2 } = new MessageChannel()
  handle({ type: 'link', id: 1, link: { ...open, out: toCore, in: toGate }, key: port2 })
  const session = new Uint8Array(16)
  port1.postMessage({ session, secret: createSessionSecret(new Uint8Array(32), session) } satisfies SessionKey)
  await expect.poll(() => states).toContain('ready')
  handle({ type: 'stop', timeout: 60_000 })
  for (let i = 0; i < 100; i++) await turn()
  expect(exit).not.toHaveBeenCalled()
  const sizes: number[] = []
  const ended = new Promise<unknown>(closed => core.receive({ frame: ({ body }) => sizes.push(body.length), closed }))
  await ended
  expect(sizes).toEqual([expect.toSatisfy((size: number) => size > 4000)])
  await expect.poll(() => exit.mock.calls).toEqual([[0]])
  port1.close()
})
