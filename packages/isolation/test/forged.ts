// Values of a forged message of a script: every tag, with members of every type.
import * as fc from 'fast-check'

const tags = [
  ...['undefined', 'number', 'bigint', 'function', 'symbol', 'promise', 'date', 'map', 'set', 'regexp', 'error'],
  ...['iterator', 'object', 'bytes', 'source', 'stream', 'channel', 'sender', 'signal', 'constructor'],
]
/** Also what objects of the host inherit. */
const names = ['indexOf', 'constructor', '__proto__', 'length', 'then', 'toJSON', 'Uint8Array', '5']
export const { forged }: { forged: fc.Arbitrary<unknown> } = fc.letrec<{ forged: unknown }>(tie => {
  const name = fc.constantFrom(...names)
  const leaf = fc.oneof(name, fc.integer({ min: -1, max: 3 }), fc.double(), fc.constant(null))
  const member = fc.oneof({ maxDepth: 4 }, leaf, tie('forged'), fc.array(tie('forged'), { maxLength: 3 }))
  const tag = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...tags) }, { weight: 1, arbitrary: member })
  return {
    forged: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ $: tag, v: member, i: member, id: member }, { requiredKeys: ['$'] }),
      fc.record({ $: fc.constant('bytes'), i: fc.oneof(name, fc.nat(1)), v: name }),
      fc.dictionary(fc.constantFrom(...names), tie('forged'), { maxKeys: 3, noNullPrototype: true }),
      fc.array(tie('forged'), { maxLength: 3 }),
    ),
  }
})
