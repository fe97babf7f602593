// Values of a forged message of a script: also with what objects of the host inherit.
import * as fc from 'fast-check'

const names = ['indexOf', 'constructor', '__proto__', 'length', 'then', 'toJSON', 'Uint8Array', '5']
export const { forged }: { forged: fc.Arbitrary<unknown> } = fc.letrec<{ forged: unknown }>(tie => ({
  forged: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.constantFrom(...names), fc.integer({ min: -1, max: 3 }), fc.double(), fc.constant(null)),
    fc.dictionary(fc.constantFrom(...names), tie('forged'), { maxKeys: 3, noNullPrototype: true }),
    fc.array(tie('forged'), { maxLength: 3 }),
  ),
}))
