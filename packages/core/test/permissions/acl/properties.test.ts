// Properties of all capabilities: a deny overrides every allow, their order does not matter, and a removed one has no effect.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Capability, PermissionEntry } from '../../../src/acl/types.js'
import { isMatrix } from '../../../../../scripts/testing.js'
import { make, registry, source, type Made } from './make.js'

fc.configureGlobal({ numRuns: isMatrix ? 100 : 25 })

const LABELS = ['main', 'editor-a', 'editor-b', 'x']
const METHODS = [...registry.keys()]
const NAMES = [...registry.values()]
  .flatMap(({ allow, deny }) => [allow, deny])
  .concat('core:default', 'core:event:default')

const entry: fc.Arbitrary<PermissionEntry> = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.record({ identifier: fc.constantFrom(...NAMES), allow: fc.array(fc.nat(9)), deny: fc.array(fc.nat(9)) }),
)
/** Permissions of app commands. A capability that names one closes the others. */
const APP_PERMISSIONS = [...registry.values()]
  .filter(({ owner }) => owner === 'app')
  .flatMap(({ allow, deny }) => [allow, deny])
const glob = fc.constantFrom('*', 'main', 'editor-*', 'editor-?', 'editor-[ab]', 'none')
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
const isTauriProject = fc.boolean()

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

test('a deny overrides every allow', () => {
  fc.assert(
    fc.property(capabilities, isTauriProject, fc.constantFrom(...METHODS), (initial, use, method) => {
      const { deny, allow } = registry.get(method)!
      const denying = { identifier: 'denying', windows: ['editor-*'], permissions: [deny] }
      const allowing = { identifier: 'allowing', windows: ['*'], permissions: [allow] }
      const { may } = make({ capabilities: [...initial, allowing, denying], isTauriProject: use })
      expect([may('editor-a', method), may('editor-b', method)]).toEqual([false, false])
    }),
  )
})

test('the order of capabilities does not matter', () => {
  const shuffled = capabilities.chain(initial =>
    fc.tuple(fc.constant(initial), fc.shuffledSubarray(initial, { minLength: initial.length })),
  )
  fc.assert(
    fc.property(shuffled, isTauriProject, ([initial, other], use) => {
      const answers = getAnswers(make({ capabilities: initial, isTauriProject: use }))
      expect(getAnswers(make({ capabilities: other, isTauriProject: use }))).toEqual(answers)
    }),
  )
})

/** Permissions of each label, one for each command. */
const getRights = ({ may }: Made): unknown => LABELS.map(label => METHODS.map(method => may(label, method)))

test('an added capability counts like an initial one, and removing it revokes its permissions', () => {
  fc.assert(
    fc.property(capabilities, isTauriProject, fc.nat(6), (initial, use, kept) => {
      const made = make({ capabilities: initial.slice(0, kept), isTauriProject: use })
      for (const each of initial.slice(kept)) made.authority.add(source(each))
      expect(getAnswers(made)).toEqual(getAnswers(make({ capabilities: initial, isTauriProject: use })))
      for (const { identifier } of initial.slice(kept)) made.authority.remove(identifier)
      // Commands of the app that were open stay closed, once a capability has named one of them.
      const names = initial.flatMap(({ permissions: named }) =>
        named.map(each => (typeof each === 'string' ? each : each.identifier)),
      )
      const permissions = names.some(name => APP_PERMISSIONS.includes(name)) ? ['allow-add'] : []
      const decider = { identifier: 'decider', windows: ['other'], permissions }
      expect(getRights(made)).toEqual(
        getRights(make({ capabilities: [...initial.slice(0, kept), decider], isTauriProject: use })),
      )
    }),
  )
})

test('nothing is allowed without a permission that allows it', () => {
  fc.assert(
    fc.property(capabilities, fc.constantFrom(...LABELS), (initial, label) => {
      const { may } = make({ capabilities: initial })
      const named = new Set(
        initial.flatMap(({ permissions }) =>
          permissions.map(each => (typeof each === 'string' ? each : each.identifier)),
        ),
      )
      for (const { method, owner, allow } of registry.values()) {
        if (owner !== 'core' && !named.has(allow)) expect([method, may(label, method)]).toEqual([method, false])
      }
    }),
  )
})
