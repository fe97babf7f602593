// What each value becomes: as its codec alone delivers it, whichever way it takes. The table of docs/guide/commands.md has the same rows.
import * as protocol from '@sallyport/protocol/internal/codec'
import { expect, test } from 'vitest'
import { type Channel, type CodecName, type CommandContext, defineCore } from '../../src/index.js'
import { ARRIVALS, getArrival } from '../../../../scripts/arrivals.mjs'
import { rows } from '../../../../scripts/testing.js'
import { start } from '../support/start.js'

/** The path of what is refused, and what is wrong with it. Of 70 arrays in each other, none is to blame. */
const REFUSED = /cannot be serialized.*(?:\bin\.value\S* (?:is|makes|a key) |nested deeper than 64)/

/** Sends a value, and returns what arrives. */
type Way = (value: unknown) => Promise<unknown>

async function connect(codec: CodecName): Promise<Record<'toCore' | 'fromCore', Record<string, Way>>> {
  let next: unknown
  let receive: (value: unknown) => void = () => {}
  const core = defineCore({
    commands: {
      take: (args: object) => receive(args),
      give: () => next,
      send: ({ to }: { to: Channel }) => to.send(next),
      emit: (_args: object, { app }: CommandContext) => app.emit('from-core', next),
      call: (_args: object, { app }: CommandContext) => app.call('tests', 'take', next as object),
    },
  })
  const bus = await start({ core, codec })
  const client = await bus.connect('tests')
  client.expose({ take: (args: object) => receive(args), give: () => next })
  await client.listen('from-core', ({ payload }) => receive(payload))
  await bus.listen('from-client', ({ payload }) => receive(payload))
  const via =
    (run: () => Promise<unknown>): Way =>
    async value => {
      next = value
      const arrived = new Promise(resolve => (receive = resolve))
      await run()
      return arrived
    }
  return {
    toCore: {
      'an argument': via(() => client.invoke('take', next as object)),
      'an event of a frontend': via(() => client.emit('from-client', next)),
      'a result of a frontend': via(async () => receive(await bus.call('tests', 'give'))),
    },
    fromCore: {
      'a result': via(async () => receive(await client.invoke('give'))),
      'an event of core': via(() => client.invoke('emit')),
      'an argument for a frontend': via(() => client.invoke('call')),
      'a message of a channel': via(() =>
        client.invoke('send', { to: new client.Channel(message => receive(message)) }),
      ),
    },
  }
}

test.each(['json', 'msgpack'] as const)(
  'a value arrives as %s delivers it, or is refused with its path, whichever way it takes',
  async codec => {
    const { toCore, fromCore } = await connect(codec)
    await rows(ARRIVALS)(async (text, create) => {
      const arrival = getArrival(protocol, codec, create())
      const isCarriedAsMsgpack = getArrival(protocol, 'msgpack', create()) !== undefined
      for (const [name, send] of Object.entries({ ...toCore, ...fromCore })) {
        const sent = send({ in: { value: create() } })
        // The second note of the page.
        const isTrusted = text.endsWith('²') && codec === 'json' && name in fromCore
        const expected = isTrusted ? { value: create() } : arrival
        if (expected === undefined) {
          const { message } = await sent.then(
            () => expect.unreachable(`${name} was not refused`),
            (error: Error) => error,
          )
          expect(message, name).toMatch(REFUSED)
          expect(message.includes("codec: 'msgpack'"), `${name}: ${message}`).toBe(isCarriedAsMsgpack)
        } else expect(await sent, name).toStrictEqual({ in: expected })
      }
    })
  },
)
