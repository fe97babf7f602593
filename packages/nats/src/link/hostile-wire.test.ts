// A wire that forges, repeats, reorders, delays and loses messages as it likes: what the receiver gets is a prefix of what was
// sent, and what is forged or replayed alone ends no session.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLinkPair } from '../../test/link-pair.js'
import { settle } from '../../../protocol/test/link-behaviour.js'

type Deed = { do: 'pass' | 'lose' | 'repeat' | 'hold' } | { do: 'forge' | 'cut' | 'old'; at: number }

const at = fc.nat()
const harmless = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Deed>({ do: 'pass' }) },
  fc.constant<Deed>({ do: 'repeat' }),
  fc.record({ do: fc.constantFrom('forge', 'cut', 'old'), at }) as fc.Arbitrary<Deed>,
)
const harmful = fc.constantFrom<Deed>({ do: 'lose' }, { do: 'hold' })
const sizes = fc.array(fc.oneof(fc.nat(40), fc.constantFrom(235, 236, 1000)), { minLength: 1, maxLength: 12 })

/** Gives what arrived, and how the receiver ended. Each deed is for one message on its way to it. */
async function run(cipher: boolean, deeds: readonly Deed[], bodies: readonly string[]) {
  const old: Uint8Array[] = []
  let held: Uint8Array | undefined
  let next = 0
  const { links } = createLinkPair({
    cipher,
    maxPayload: 265,
    broker(to, message, pass) {
      if (to === 'near') return pass(message)
      const deed = deeds[next++] ?? { do: 'pass' }
      const take = (bytes: Uint8Array): void => pass(Uint8Array.from(bytes))
      old.push(message)
      if (deed.do === 'lose') return
      if (deed.do === 'hold') return void (held = message)
      if (deed.do === 'forge') {
        const forged = Uint8Array.from(message)
        forged[deed.at % forged.length]! ^= 1 + (deed.at % 255)
        take(forged)
      }
      if (deed.do === 'cut') take(message.subarray(0, deed.at % message.length))
      take(message)
      if (deed.do === 'repeat') take(message)
      if (deed.do === 'old') take(old[deed.at % old.length]!)
      if (held) take(held)
      held = undefined
    },
  })
  const got: string[] = []
  let end = ''
  links[1].receive({
    frame: ({ body }) => got.push(Buffer.from(body).toString()),
    closed: fault => (end = fault ? fault.message : 'closed'),
  })
  for (const body of bodies) links[0].send({ kind: 1, body })
  links[0].close()
  await expect.poll(() => next > 0 && (end !== '' || next >= sent(bodies))).toBe(true)
  await settle()
  links[1].close()
  return { got, end }
}

/** Parts of all frames, and the end. */
const sent = (bodies: readonly string[]): number =>
  bodies.reduce((sum, body) => sum + Math.ceil((body.length + 5) / 240), 1)

const bodiesOf = (lengths: readonly number[]): string[] => lengths.map((length, i) => `${i}`.padEnd(length, '.'))

it.each([false, true])('a wire that forges and replays changes nothing, encrypted: %s', async cipher => {
  await fc.assert(
    fc.asyncProperty(fc.array(harmless, { maxLength: 30 }), sizes, async (deeds, lengths) => {
      const bodies = bodiesOf(lengths)
      expect(await run(cipher, deeds, bodies)).toEqual({ got: bodies, end: 'closed' })
    }),
    { numRuns: 25 },
  )
})

it.each([false, true])('a wire that loses and reorders too brings a prefix, encrypted: %s', async cipher => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(harmless, harmful), { maxLength: 30 }), sizes, async (deeds, lengths) => {
      const bodies = bodiesOf(lengths)
      const { got, end } = await run(cipher, deeds, bodies)
      expect(got).toEqual(bodies.slice(0, got.length))
      if (end === 'closed') expect(got).toEqual(bodies)
      else expect(end === '' || end === 'Messages of the session were lost').toBe(true)
    }),
    { numRuns: 25 },
  )
})
