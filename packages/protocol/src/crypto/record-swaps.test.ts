// What a carrier could make of several genuine records: parts of one put into another, attachments exchanged, and any mix
// of that with what record-attacks.test.ts does to a single one. What core takes is always a beginning of what was sealed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openerOf, sealerOf, secret, text } from '../../test/record-ends.js'
import { FRAME_KIND } from '../wire/link.js'
import type { Opener } from './record.js'

const COMMANDS = ['read', 'wipe', 'list', 'send'].map(method => `{"jsonrpc":"2.0","id":1,"method":"${method}"}`)
/** Where each field of a record of `size` bytes begins and ends. */
const fieldsOf = (size: number): Record<string, [from: number, to: number]> => ({
  version: [0, 4],
  count: [4, 8],
  epoch: [8, 12],
  sequence: [12, 16],
  time: [16, 24],
  session: [24, 40],
  length: [40, 44],
  ciphertext: [44, size - 16],
  tag: [size - 16, size],
})

const sealAll = (over: Parameters<typeof sealerOf>[0] = {}): Buffer[] => {
  const sealer = sealerOf(over)
  return COMMANDS.map((command, i) => Buffer.from(sealer.seal(FRAME_KIND.json, command, i + 1)))
}

function refuses(opener: Opener, ...records: Uint8Array[]): void {
  for (const record of records) expect(() => opener.open(record)).toThrow('A record was refused')
}

describe('an opener refuses', () => {
  it('one command under the place of another: header, ciphertext and tag belong together', () => {
    const all = sealAll()
    const [read, wipe] = [all[0]!, all[1]!]
    for (const cut of [44, read.length - 16]) {
      refuses(openerOf(), Buffer.concat([read.subarray(0, cut), wipe.subarray(cut)]), read, wipe)
      refuses(openerOf(), Buffer.concat([wipe.subarray(0, cut), read.subarray(cut)]), read, wipe)
    }
  })

  it.each([
    ['another command of the session', {}],
    ['the same place in another session', { session: Buffer.from('another session!') }],
    ['the same place under another secret', { secret: Buffer.alloc(32, 3) }],
    ['the same place in another direction', { direction: 'to frontend' }],
    ['the same place in another epoch', { epoch: 1 }],
  ])('any fields of a record replaced by those of %s', (_name, over) => {
    const [ours, theirs] = [sealAll(), sealAll(over)]
    const from = over === undefined || Object.keys(over).length === 0 ? theirs[1]! : theirs[0]!
    const due = ours[0]!
    const fields = fieldsOf(due.length)
    fc.assert(
      fc.property(fc.subarray(Object.keys(fields), { minLength: 1 }), names => {
        const forged = Buffer.from(due)
        for (const name of names) from.copy(forged, fields[name]![0], ...fields[name]!)
        fc.pre(!forged.equals(due))
        refuses(openerOf(), forged, due)
      }),
    )
  })

  it('the attachment of another message, under its own number or that of the one it replaces', () => {
    const seal = (): Buffer[] => {
      const sealer = sealerOf()
      const bytes = (fill: number): Uint8Array => new Uint8Array(2 ** 16 + 1).fill(fill)
      return [
        sealer.seal(FRAME_KIND.bytes, bytes(1), 0),
        sealer.seal(FRAME_KIND.msgpack, 'the first message', 1),
        sealer.seal(FRAME_KIND.bytes, bytes(2), 0),
        sealer.seal(FRAME_KIND.msgpack, 'the second message', 1),
      ].map(record => Buffer.from(record))
    }
    const [one, first, two, second] = seal() as [Buffer, Buffer, Buffer, Buffer]
    refuses(openerOf(), two, first, one, second)
    const renumbered = Buffer.concat([one.subarray(0, 44), two.subarray(44)])
    refuses(openerOf(), renumbered, first)
    const opener = openerOf()
    opener.open(one)
    refuses(opener, second, first)
  })
})

type Act = { what: 'next' | 'again' | 'skip' | 'flip' | 'cut' | 'extend' | 'foreign'; at: number }
const act: fc.Arbitrary<Act> = fc.record({
  what: fc.constantFrom('next', 'next', 'next', 'next', 'again', 'skip', 'flip', 'cut', 'extend', 'foreign'),
  at: fc.nat(10_000),
})

it('takes, whatever its carrier mixes, a beginning of what was sealed, and nothing after the first offence', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (acts, records) => {
      const limits = { records }
      const [sealer, opener] = [sealerOf({ limits }), openerOf({ limits })]
      const stranger = sealerOf({ limits, secret: Buffer.from(secret).reverse() })
      const seal = (by: typeof sealer, i: number): Buffer => Buffer.from(by.seal(1, `message ${i}`, 1))
      const ours = acts.map((_, i) => seal(sealer, i))
      const theirs = acts.map((_, i) => seal(stranger, i))
      const taken: string[] = []
      let honest = 0
      let place = 0
      let offended = false
      for (const { what, at } of acts) {
        let record = ours[what === 'again' ? place - 1 : what === 'skip' ? place + 1 : place]
        if (what === 'foreign') record = theirs[place]
        if (!record) continue
        if (what === 'flip')
          record = Buffer.from(record.map((byte, i) => (i === at % record!.length ? byte ^ 1 : byte)))
        if (what === 'cut') record = record.subarray(0, at % record.length)
        if (what === 'extend') record = Buffer.concat([record, Buffer.alloc(1 + (at % 20))])
        if (what === 'next') place++
        else offended = true
        if (!offended) honest++
        try {
          taken.push(text(opener, record))
        } catch {}
      }
      expect(taken).toEqual(Array.from({ length: honest }, (_, i) => `message ${i}`))
    }),
    { numRuns: 500 },
  )
})
