// Frontends that share the limits of one label, as the tabs of a page do: no number of them has more open than one.
import {
  FRAME_KIND,
  MAX_CHANNELS,
  MAX_IN_FLIGHT,
  MAX_LISTENERS,
  MAX_RESOURCES,
} from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import type { CommandContext } from '../../src/index.js'
import { call, Peer, setUp } from '../support/peer.js'
import { rows } from '../../../../scripts/testing.js'

const LISTEN = ',"params":{"event":"e","target":{"kind":"Any"},"handler":1}'
const channel = (id: number): string => `,"params":{"to":"__CHANNEL__:${id}"},"channels":{"to":${id}}`

/** Every call of these leaves something open. */
const limits: [name: string, limit: number, method: string, params: (id: number) => string][] = [
  ['calls in flight', MAX_IN_FLIGHT, 'forever', () => ''],
  ['listeners', MAX_LISTENERS, 'plugin:event|listen', () => LISTEN],
  ['channels', MAX_CHANNELS, 'keep', channel],
  ['resources', MAX_RESOURCES, 'open', () => ''],
]

const start = async () => {
  const kept: unknown[] = []
  const { core } = await setUp('brownfield', {
    forever: () => new Promise(() => {}),
    keep: ({ to }: { to: unknown }) => void kept.push(to),
    open: (_args: object, { resources }: CommandContext) => resources.add({}),
  })
  return { core, kept }
}

test('what is open counts for all frontends of a label together', () =>
  rows(limits)(async (_name, limit, method, params) => {
    const { core } = await start()
    const tabs = ['main', 'main-2'].map(label => new Peer(core, label, undefined, 'json', { limitLabel: 'main' }))
    const other = new Peer(core, 'other')
    const [first, second] = tabs as [Peer, Peer]
    const calls = Array.from({ length: limit }, (_, id) => call(id, method, params(id)))
    first.send(`[${calls.join()}]`, FRAME_KIND.json)
    await readAll(first)
    const isRefused = async (peer: Peer): Promise<boolean> => {
      peer.send(call('more', method, params(limit)))
      return (await readAll(peer)).some(({ error }) => error?.code === -32004)
    }
    expect(await isRefused(second)).toBe(true)
    expect(await isRefused(other)).toBe(false)
    first.link.close()
    await expect.poll(() => isRefused(second)).toBe(false)
  }))

/** Returns the answers to what the peer has sent. */
async function readAll(peer: Peer): Promise<{ id: unknown; error?: { code: number } }[]> {
  peer.send(call('last', 'none'))
  const answers = []
  for (let answer; answer?.id !== 'last'; answers.push(answer)) answer = await peer.next()
  return answers
}
