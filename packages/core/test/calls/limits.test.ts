// What one frontend can have open, by each way that counts: as much as the limit, and no more. Frontends that share the limits of one label, as the
// tabs of a page do, have no more than one of them.
import {
  FRAME_KIND,
  MAX_CHANNELS,
  MAX_IN_FLIGHT,
  MAX_LISTENERS,
  MAX_RESOURCES,
} from '@sallyport/protocol/internal/wire'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommandContext } from '../../src/index.js'
import { call, Peer, setUp } from '../support/peer.js'
import { rows } from '../../../../scripts/testing.js'

/** The end of a call that declares channels or streams. */
const declare = (kind: 'CHANNEL' | 'STREAM', ids: readonly number[]): string => {
  const members = (text: (id: number) => string): string => ids.map(id => `"c${id}":${text(id)}`).join()
  return `,"params":{${members(id => `"__${kind}__:${id}"`)}},"channels":{${members(String)}}`
}
const LISTEN = ',"params":{"event":"e","target":{"kind":"Any"},"handler":1}'
const values = (id: number): string => call(id, 'values', `,"headers":{"sallyport-stream":"__CHANNEL__:${id}"}`)
const cancel = (id: number): string => `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":${id}}}`
const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at)

const forever = call('more', 'forever')
const channel = call('more', 'keep', declare('CHANNEL', [MAX_CHANNELS]))
const TOO_MANY_CALLS = `More than ${MAX_IN_FLIGHT} calls of one frontend are in flight`
const TOO_MANY_CHANNELS = `More than ${MAX_CHANNELS} channels and streams of one frontend are open`

/** The messages that fill a limit, the call that is one too many, and its error. */
const ways: [name: string, fill: readonly string[], more: string, message: string][] = [
  ['calls', range(MAX_IN_FLIGHT).map(id => call(id, 'forever')), forever, TOO_MANY_CALLS],
  [
    'calls that were cancelled',
    range(MAX_IN_FLIGHT).flatMap(id => [call(id, 'forever'), cancel(id)]),
    forever,
    TOO_MANY_CALLS,
  ],
  [
    'calls without an id',
    range(MAX_IN_FLIGHT).map(() => '{"jsonrpc":"2.0","method":"forever"}'),
    forever,
    TOO_MANY_CALLS,
  ],
  ['calls of streams', range(MAX_IN_FLIGHT).map(values), forever, TOO_MANY_CALLS],
  [
    'channels of calls that have returned',
    range(MAX_CHANNELS).map(id => call(id, 'keep', declare('CHANNEL', [id]))),
    channel,
    TOO_MANY_CHANNELS,
  ],
  ['channels of one call', [call(0, 'keep', declare('CHANNEL', range(MAX_CHANNELS)))], channel, TOO_MANY_CHANNELS],
  [
    'streams of calls that run',
    [0, 1].map(id => call(id, 'forever', declare('STREAM', range(MAX_CHANNELS / 2, (id * MAX_CHANNELS) / 2)))),
    channel,
    TOO_MANY_CHANNELS,
  ],
  [
    'values of commands, and a channel',
    [...range(MAX_CHANNELS - 1).map(values), call('last but one', 'keep', declare('CHANNEL', [MAX_CHANNELS - 1]))],
    channel,
    TOO_MANY_CHANNELS,
  ],
  [
    'listeners',
    range(MAX_LISTENERS).map(id => call(id, 'plugin:event|listen', LISTEN)),
    call('more', 'plugin:event|listen', LISTEN),
    `More than ${MAX_LISTENERS} listeners of one frontend`,
  ],
  [
    'resources',
    range(MAX_RESOURCES).map(id => call(id, 'open')),
    call('more', 'open'),
    `More than ${MAX_RESOURCES} resources of one frontend are open`,
  ],
]

async function start() {
  const kept: unknown[] = []
  const { core } = await setUp('brownfield', {
    forever: () => new Promise(() => {}),
    keep: (args: object) => void kept.push(args),
    open: (_args: object, { resources }: CommandContext) => resources.add({}),
    values: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
  })
  return { core, kept }
}

// In development each call that ends with its frontend has an error with a stack, which takes the test runner 0.1 ms to format.
beforeAll(() => setDevelopment(false))
afterAll(() => setDevelopment(true))

type Answer = { id: unknown; error?: { code: number; message: string } }

test('what is open counts for all frontends of a label together, up to the limit and no further', () =>
  rows(ways)(async (_name, fill, more, message) => {
    const { core } = await start()
    const tabs = ['main', 'main-2'].map(label => new Peer(core, label, undefined, 'json', { limitLabel: 'main' }))
    const other = new Peer(core, 'other')
    const [first, second] = tabs as [Peer, Peer]
    const getErrors = async (peer: Peer, text: string): Promise<Answer['error'][]> => {
      peer.send(text, FRAME_KIND.json)
      return (await readAll(peer)).flatMap(({ error }) => error ?? [])
    }
    const refused = [{ code: -32004, message }]
    expect(await getErrors(first, `[${fill.join()}]`)).toEqual([])
    expect(await getErrors(first, more)).toMatchObject(refused)
    expect(await getErrors(second, more)).toMatchObject(refused)
    expect(await getErrors(other, more)).toEqual([])
    first.link.close()
    await expect.poll(() => getErrors(second, more)).toEqual([])
  }))

/** Returns the answers to what the peer has sent. Core refuses the last call before it counts it. */
async function readAll(peer: Peer): Promise<Answer[]> {
  peer.send(call('last', 'none'))
  const answers: Answer[] = []
  for (let answer; answer?.id !== 'last'; answers.push(answer)) {
    answer = (await peer.next()) as Answer
    if (peer.closed) throw new Error('The session has ended')
  }
  return answers.slice(0, -1)
}
