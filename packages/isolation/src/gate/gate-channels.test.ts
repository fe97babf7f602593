// Channels among a call's arguments, as the hook passes them on: it can remove, move and copy a channel, and cannot create one.
import { codecs } from '@sallyport/protocol/internal/codec'
import { toChannelReference } from '@sallyport/protocol/internal/message'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
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
