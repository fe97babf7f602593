// A wire that forges, repeats, reorders, delays and loses messages at random: the receiver gets a prefix of what was sent, and forged
// and replayed messages alone do not end the session.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLinkPair, settle } from '../../test/long/link-pair.js'

type Action = { do: 'pass' | 'lose' | 'repeat' | 'hold' } | { do: 'forge' | 'cut' | 'replay'; at: number }

const at = fc.nat()
const harmless = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Action>({ do: 'pass' }) },
  fc.constant<Action>({ do: 'repeat' }),
  fc.record({ do: fc.constantFrom('forge', 'cut', 'replay'), at }) as fc.Arbitrary<Action>,
)
const harmful = fc.constantFrom<Action>({ do: 'lose' }, { do: 'hold' })
const sizes = fc.array(fc.oneof(fc.nat(40), fc.constantFrom(235, 236, 1000)), { minLength: 1, maxLength: 12 })

/** Returns what arrived, and how the receiver ended. Each action is applied to one message to the receiver. */
async function run(actions: readonly Action[], bodies: readonly string[]) {
  const previous: Uint8Array[] = []
  let held: Uint8Array | undefined
  let next = 0
  const { links } = createLinkPair({
    maxPayload: 265,
    broker(to, message, pass) {
      if (to === 'near') return pass(message)
      const action = actions[next++] ?? { do: 'pass' }
      const deliver = (bytes: Uint8Array): void => pass(Uint8Array.from(bytes))
      previous.push(message)
      if (action.do === 'lose') return
      if (action.do === 'hold') return void (held = message)
      if (action.do === 'forge') {
        const forged = Uint8Array.from(message)
        forged[action.at % forged.length]! ^= 1 + (action.at % 255)
        deliver(forged)
      }
      if (action.do === 'cut') deliver(message.subarray(0, action.at % message.length))
      deliver(message)
      if (action.do === 'repeat') deliver(message)
      if (action.do === 'replay') deliver(previous[action.at % previous.length]!)
      if (held) deliver(held)
      held = undefined
    },
  })
  const received: string[] = []
  let end = ''
  links[1].receive({
    frame: ({ body }) => received.push(Buffer.from(body).toString()),
    closed: fault => (end = fault ? fault.message : 'closed'),
  })
  for (const body of bodies) links[0].send({ kind: 1, body })
  links[0].close()
  while (next === 0 || (end === '' && next < countMessages(bodies))) await settle()
  await settle()
  links[1].close()
  return { received, end }
}

/** Returns the number of messages: the fragments of all frames, and the close. */
const countMessages = (bodies: readonly string[]): number =>
  bodies.reduce((sum, body) => sum + Math.ceil((body.length + 5) / 240), 1)

const createBodies = (lengths: readonly number[]): string[] => lengths.map((length, i) => `${i}`.padEnd(length, '.'))

it('receives everything over a wire that forges and replays', () =>
  fc.assert(
    fc.asyncProperty(fc.array(harmless, { maxLength: 30 }), sizes, async (actions, lengths) => {
      const bodies = createBodies(lengths)
      expect(await run(actions, bodies)).toEqual({ received: bodies, end: 'closed' })
    }),
    { numRuns: 50 },
  ))

it('receives a prefix over a wire that also loses and reorders', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(harmless, harmful), { maxLength: 30 }), sizes, async (actions, lengths) => {
      const bodies = createBodies(lengths)
      const { received, end } = await run(actions, bodies)
      expect(received).toEqual(bodies.slice(0, received.length))
      if (end === 'closed') expect(received).toEqual(bodies)
      else expect(end === '' || end === 'Messages of the session were lost').toBe(true)
    }),
    { numRuns: 50 },
  ))
