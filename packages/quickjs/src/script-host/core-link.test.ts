// The link of a hostile VM: what it sends is bounded before the thread of the script keeps it.
import { createDeferred } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type Frame, type Link, MAX_BODY_BYTES } from '@sallyport/protocol/internal/wire'
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { CoreLink } from './core-link.js'

const MAX_BYTES = 2 ** 20

/** A link of core that takes nothing until `release` is called. */
function createLink() {
  const sent: Frame[] = []
  let room = createDeferred()
  let isFull = true
  const link = {
    send: (frame: Frame) => void sent.push(frame),
    room: () => (isFull ? room.promise : undefined),
    receive: vi.fn<Link['receive']>(),
  }
  const core = new CoreLink({ maxBytes: MAX_BYTES, receive() {}, room: onRoom, closed() {} })
  function onRoom(): void {
    calls.push('room')
  }
  const calls: string[] = []
  core.attach(link as unknown as Link)
  const release = async (): Promise<void> => {
    isFull = false
    room.resolve()
    await room.promise
    room = createDeferred()
  }
  return { core, sent, calls, release }
}

test('frames pass unread, and the VM learns when the link is full, and when it has room again', async () => {
  const { core, sent, calls, release } = createLink()
  core.send('no JSON')
  core.send(Uint8Array.of(1), FRAME_KIND.msgpack)
  await Promise.resolve()
  expect(sent).toEqual([
    { kind: FRAME_KIND.json, body: 'no JSON' },
    { kind: FRAME_KIND.msgpack, body: Uint8Array.of(1) },
  ])
  expect(core.send('{}')).toBe(true)
  await release()
  expect(calls).toEqual(['room'])
  expect(core.send('{}')).toBe(false)
})

test('what waits for core is bounded by the memory of the script, in bytes and in number', () =>
  rows({ 'few large frames': 2 ** 18, 'many small frames': 1 })(size => {
    const { core, sent } = createLink()
    const flood = (): void => {
      for (;;) core.send('x'.repeat(size))
    }
    expect(flood).toThrow(expect.objectContaining({ reason: 'Overloaded', data: { limit: 'memory', max: 1 } }) as Error)
    expect(sent.length * size).toBeLessThan(2 * MAX_BYTES)
    expect(sent.length).toBeLessThan(10_000)
  }))

test('attachments whose message never follows are bounded', async () => {
  const { core, release } = createLink()
  await release()
  const flood = (): void => {
    for (;;) core.send(new Uint8Array(1), FRAME_KIND.bytes)
  }
  expect(flood).toThrow('exceed its memory')
})

test('a frame of a kind or a size that no client sends is refused', () =>
  rows<[name: string, body: string | Uint8Array, kind: number | undefined]>([
    ['a record', new Uint8Array(100), FRAME_KIND.sealed],
    ['an unknown kind', new Uint8Array(1), 77],
    ['no number', new Uint8Array(1), Number.NaN],
    ['a body that is too large', { length: MAX_BODY_BYTES + 1 } as unknown as string, undefined],
  ])((_name, body, kind) => {
    const { core, sent } = createLink()
    expect(() => core.send(body, kind)).toThrow('a forged message')
    expect(sent).toEqual([])
  }))

test('what core took counts no longer, even if the link is full again at once', async () => {
  let room = createDeferred()
  const link = { send() {}, receive() {}, room: () => room.promise }
  const core = new CoreLink({ maxBytes: MAX_BYTES, receive() {}, room() {}, closed() {} })
  core.attach(link as unknown as Link)
  for (let sent = 0; sent < 4; sent++) {
    core.send('x'.repeat(MAX_BYTES / 2))
    await Promise.resolve()
    expect(core.isFull).toBe(true)
    room.resolve()
    await room.promise
    room = createDeferred()
  }
  expect(core.isFull).toBe(false)
})
