// Channels among a call's arguments, as the hook passes them on: it can remove, move and copy a channel, and cannot create one.
import { codecs } from '@sallyport/protocol/internal/codec'
import { toChannelReference } from '@sallyport/protocol/internal/message'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { expect, test, describe } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, send, setUp, settled } from '../../test/gate.js'

type Args = Record<string, unknown>
const [seven, eight, nine] = [7, 8, 9].map(toChannelReference)
/** `text` and `deep` are strings that look like channels. */
const params = { a: seven, b: eight, text: seven, other: nine, deep: { a: seven } }
const sent = { ...call(1, 'm', params), channels: { a: 7, b: 8 } }

/** Returns the channels of the call that `sent` becomes when the hook changes its arguments. */
async function pass(change: (args: Args) => unknown, isLate: boolean): Promise<unknown> {
  const { frontendLink, sealed } = setUp(message => {
    const payload = change((message as { payload: Args }).payload)
    const answer = { ...(message as object), payload }
    return isLate ? Promise.resolve(answer) : answer
  })
  send(frontendLink, sent)
  await settled()
  expect(sealed).toHaveLength(1)
  return sealed[0].channels
}

test('the hook sees channels as their references', async () => {
  const shown: unknown[] = []
  const { frontendLink, sealed } = setUp(message => {
    shown.push(message)
    return message
  })
  send(frontendLink, sent)
  await settled()
  expect(shown).toEqual([{ cmd: 'm', callback: 1, error: 1, payload: params, options: undefined }])
  expect(sealed).toEqual([sent])
})

test('channels pass a gate without a hook, in both codecs', async () => {
  const { frontendLink, sealed } = setUp(null)
  send(frontendLink, sent)
  frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(sent) as Uint8Array })
  await settled()
  expect(sealed).toEqual([sent, sent])
})

test('channels of a call follow a hook which changes its arguments, at once or later', () =>
  rows<[what: string, change: (args: Args) => unknown, channels: unknown]>([
    ['adds an argument', args => ({ ...args, more: 1 }), { a: 7, b: 8 }],
    ['adds bytes', args => ({ ...args, data: new Uint8Array(2) }), { a: 7, b: 8 }],
    ['removes one', ({ a: _removed, ...args }) => args, { b: 8 }],
    ['removes all arguments', () => ({}), {}],
    ['returns bytes', () => new Uint8Array(2), undefined],
    ['returns no arguments', () => undefined, undefined],
    ['moves one', ({ a, ...args }) => ({ ...args, moved: a }), { b: 8, moved: 7 }],
    ['moves one over a string', ({ a, ...args }) => ({ ...args, other: a }), { b: 8, other: 7 }],
    ['exchanges them', args => ({ ...args, a: args['b'], b: args['a'] }), { a: 8, b: 7 }],
    ['moves one deeper', ({ a, ...args }) => ({ ...args, deep: { a } }), { b: 8 }],
    ['changes an id', args => ({ ...args, a: nine }), { b: 8 }],
    ['creates a reference', args => ({ ...args, created: nine }), { a: 7, b: 8 }],
    ['replaces one by a value', args => ({ ...args, a: 'x', b: null }), {}],
    ['changes them in place', moveInPlace, { b: 8, moved: 7, text: 8 }],
  ])(async (_what, change, channels) => {
    for (const isLate of [false, true]) expect(await pass(change, isLate)).toEqual(channels)
  }))

function moveInPlace(args: Args): Args {
  args['moved'] = args['a']
  args['text'] = args['b']
  delete args['a']
  return args
}

test('a call without channels does not get any', async () => {
  const { frontendLink, sealed } = setUp(message => ({ ...(message as object), payload: { a: seven } }))
  send(frontendLink, call(1, 'm', { a: seven }))
  await settled()
  expect(sealed).toEqual([call(1, 'm', { a: seven })])
})

test('channels that are not among the arguments are refused before the hook', async () => {
  const shown: unknown[] = []
  const { frontendLink, sealed, responses } = setUp(message => shown.push(message))
  send(frontendLink, { ...sent, channels: { a: 8 } }, { ...sent, channels: { deep: 7 } }, { ...sent, channels: ['a'] })
  await settled()
  expect([shown, sealed]).toEqual([[], []])
  expect(responses.map(({ error }) => error.code)).toEqual([-32_600, -32_600, -32_600])
})

describe('bytes', () => {
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
})
