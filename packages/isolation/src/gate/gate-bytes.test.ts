import { codecs } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { call, send, setUp, settled } from '../../test/gate.js'

describe('a message with attachments', () => {
  const size = 64 * 1024
  const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(size).fill(fill)
  const mark = [0xd6, 0x53, 0, 1, 0, 0]
  const sendBytes = (link: Link, id: number, method: string, fill: number): void => {
    link.send({ kind: FRAME_KIND.bytes, body: large(fill) })
    const start = Buffer.from(codecs.msgpack.encode({ ...call(id, method), params: { data: null } }) as Uint8Array)
    link.send({ kind: FRAME_KIND.msgpack, body: Buffer.concat([start.subarray(0, -1), Buffer.from(mark)]) })
  }
  const getBytes = (messages: any[]): unknown[] =>
    messages.map(({ id, params }) => [id, params.data?.length, params.data?.[0], params.data?.at(-1)])

  test('is shown to the hook and sealed with its bytes', async () => {
    const shown: unknown[] = []
    const { frontendLink, sealed } = setUp(message => {
      const { data } = (message as { payload: { data: Uint8Array } }).payload
      shown.push(data.length)
      data[0] = 9
      return message
    })
    sendBytes(frontendLink, 1, 'm', 1)
    await settled()
    expect(shown).toEqual([size])
    expect(getBytes(sealed)).toEqual([[1, size, 9, 1]])
  })

  test('is sealed with the bytes of the hook, without those that it removed', async () => {
    const constant = large(7)
    const { frontendLink, sealed } = setUp(message => {
      const { cmd } = message as { cmd: string }
      if (cmd === 'drop') return null
      return { cmd, payload: cmd === 'empty' ? {} : { data: constant } }
    })
    sendBytes(frontendLink, 1, 'drop', 1)
    sendBytes(frontendLink, 2, 'm', 2)
    sendBytes(frontendLink, 3, 'empty', 3)
    send(frontendLink, call(4), call(5))
    await settled()
    expect(getBytes(sealed)).toEqual([
      [2, size, 7, 7],
      [3, undefined, undefined, undefined],
      [4, size, 7, 7],
      [5, size, 7, 7],
    ])
    expect(constant.length, 'still owned by the hook').toBe(size)
  })

  test('keeps its order, and its bytes when the hook changes them later', async () => {
    const releases: (() => void)[] = []
    const held: Uint8Array[] = []
    const { frontendLink, sealed } = setUp(message => {
      const { cmd, payload } = message as { cmd: string; payload: { data: Uint8Array } }
      held.push(payload.data)
      return cmd === 'slow' ? new Promise(resolve => releases.push(() => resolve(message))) : message
    })
    for (const [i, method] of ['slow', 'm', 'slow', 'm'].entries()) sendBytes(frontendLink, i + 1, method, i + 1)
    await settled()
    releases[1]!()
    await settled()
    expect(sealed, 'the first is still held').toEqual([])
    for (const data of held.slice(1)) data.fill(99)
    releases[0]!()
    await settled()
    expect(getBytes(sealed)).toEqual([1, 2, 3, 4].map(id => [id, size, id, id]))
  })

  test('closes the gate when the next message does not refer to the attachments', async () => {
    const { frontendLink, sealed, responses, isClosed } = setUp(null)
    frontendLink.send({ kind: FRAME_KIND.bytes, body: large(1) })
    frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(call(1)) as Uint8Array })
    await settled()
    expect(sealed).toEqual([])
    expect(responses).toMatchObject([{ id: null, error: { code: -32700 } }])
    expect(isClosed()).toBe(true)
  })
})
