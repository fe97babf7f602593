// Properties of all capabilities: a deny wins, their order does not matter, and a removed one leaves nothing behind.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Capability, PermissionEntry } from '../../src/acl/types.js'
import { make, registry, source, type Made } from './make.js'

const LABELS = ['main', 'guest-a', 'guest-b', 'x']
const METHODS = [...registry.keys()]
const NAMES = [...registry.values()]
  .flatMap(({ allow, deny }) => [allow, deny])
  .concat('core:default', 'core:event:default')

const entry: fc.Arbitrary<PermissionEntry> = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.record({ identifier: fc.constantFrom(...NAMES), allow: fc.array(fc.nat(9)), deny: fc.array(fc.nat(9)) }),
)
/** Named by a capability, they decide who may call the app's commands. */
const OF_THE_APP = [...registry.values()]
  .filter(({ owner }) => owner === 'app')
  .flatMap(({ allow, deny }) => [allow, deny])
const glob = fc.constantFrom('*', 'main', 'guest-*', 'guest-?', 'guest-[ab]', 'none')
const capabilities: fc.Arbitrary<Capability[]> = fc.uniqueArray(
  fc.record(
    {
      identifier: fc.stringMatching(/^[a-z]{1,3}$/),
      windows: fc.array(glob, { maxLength: 2 }),
      webviews: fc.array(glob, { maxLength: 1 }),
      local: fc.boolean(),
      platforms: fc.subarray<'linux' | 'macOS'>(['linux', 'macOS']),
      permissions: fc.array(entry, { maxLength: 5 }),
    },
    { requiredKeys: ['identifier', 'permissions', 'windows'] },
  ),
  { selector: ({ identifier }) => identifier, maxLength: 6 },
)
const pattern = fc.constantFrom('brownfield' as const, 'isolation' as const)

/** Everything that the authority answers. */
const getAnswers = ({ authority }: Made): unknown =>
  LABELS.map(label => {
    const permits = authority.getPermits(label)
    return METHODS.map(method => {
      const command = registry.get(method)!
      const { allow, deny } = permits.getScope(command)
      return [label, method, permits.check(command)?.message, allow, deny]
    })
  })

test('a deny wins, whatever else allows it', () => {
  fc.assert(
    fc.property(capabilities, pattern, fc.constantFrom(...METHODS), (given, use, method) => {
      const { deny, allow } = registry.get(method)!
      const denying = { identifier: 'denying', windows: ['guest-*'], permissions: [deny] }
      const allowing = { identifier: 'allowing', windows: ['*'], permissions: [allow] }
      const { may } = make({ capabilities: [...given, allowing, denying], pattern: use })
      expect([may('guest-a', method), may('guest-b', method)]).toEqual([false, false])
    }),
  )
})

test('the order of capabilities does not matter', () => {
  const shuffled = capabilities.chain(given =>
    fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
  )
  fc.assert(
    fc.property(shuffled, pattern, ([given, other], use) => {
      const here = getAnswers(make({ capabilities: given, pattern: use }))
      expect(getAnswers(make({ capabilities: other, pattern: use }))).toEqual(here)
    }),
  )
})

/** Permissions of each label, one for each command. */
const getRights = ({ may }: Made): unknown => LABELS.map(label => METHODS.map(method => may(label, method)))

test('an added capability counts like an initial one, and removing it takes its permissions away', () => {
  fc.assert(
    fc.property(capabilities, pattern, fc.nat(6), (given, use, kept) => {
      const made = make({ capabilities: given.slice(0, kept), pattern: use })
      for (const each of given.slice(kept)) made.authority.add(source(each))
      expect(getAnswers(made)).toEqual(getAnswers(make({ capabilities: given, pattern: use })))
      for (const { identifier } of given.slice(kept)) made.authority.remove(identifier)
      // Commands of the app that were open stay closed, once a capability has named one of them.
      const names = given.flatMap(({ permissions: named }) =>
        named.map(each => (typeof each === 'string' ? each : each.identifier)),
      )
      const permissions = names.some(name => OF_THE_APP.includes(name)) ? ['allow-add'] : []
      const decider = { identifier: 'decider', windows: ['nobody'], permissions }
      expect(getRights(made)).toEqual(
        getRights(make({ capabilities: [...given.slice(0, kept), decider], pattern: use })),
      )
    }),
  )
})

test('nothing is allowed that no permission allows', () => {
  fc.assert(
    fc.property(capabilities, fc.constantFrom(...LABELS), (given, label) => {
      const { may } = make({ capabilities: given })
      const named = new Set(
        given.flatMap(({ permissions }) =>
          permissions.map(each => (typeof each === 'string' ? each : each.identifier)),
        ),
      )
      for (const { method, owner, allow } of registry.values()) {
        if (owner !== 'core' && !named.has(allow)) expect([method, may(label, method)]).toEqual([method, false])
      }
    }),
  )
})
