// Functions of the host that decide: none takes an odd answer for a yes.
import type { EventTarget } from '@sallyport/protocol/internal/message'
import { expect, test } from 'vitest'
import { ODD_ANSWERS } from '../../../../scripts/odd-inputs.js'
import { rows } from '../../../../scripts/testing.js'
import { createScope } from '../acl/types.js'
import { checkArguments } from './arguments.js'
import { createApp, LocalListeners } from '../core-thread/create-app.js'
import { EventRouter } from '../events/router.js'
import { Continuations } from '../life/continuations/continuations.js'
import { isConfirmed } from '../life/reporting/confirm.js'

/** Resolves to true if the answer lets something happen. */
const DECIDERS: Readonly<Record<string, (decide: () => never) => Promise<boolean>>> = {
  onConfirm: decide => isConfirmed(decide, 'Delete?', { label: 'a' }, { error: () => {} } as never),
  'runs.claim': decide => new Continuations(undefined, decide).claim('a').then(() => true),
  'matches, allowed': async decide => createScope(['a'], []).matches(decide),
  'matches, denied': async decide => createScope([], ['a']).matches(decide),
  emitFilter: async decide => {
    const router = new EventRouter()
    let isDelivered = false
    const target: EventTarget = { kind: 'WebviewWindow', label: 'a' }
    router.listen('e', target, { label: 'a', deliver: () => void (isDelivered = true) })
    const none = undefined as never
    const local = new LocalListeners(router)
    const app = createApp({ call: none, router, local, getLog: () => none, resources: none, path: none })
    try {
      app.emitFilter('e', 1, decide)
    } catch {
      // An error is no yes.
    }
    return isDelivered
  },
  'a schema': async decide => {
    let hasRun = false
    const schema = { '~standard': { version: 1, vendor: 'test', validate: decide } } as never
    const run = checkArguments('greet', schema, () => (hasRun = true))
    await Promise.resolve(run({}, undefined)).catch(() => {})
    return hasRun
  },
}

test('an odd answer is no yes', () =>
  rows(Object.entries(DECIDERS))((_decider, lets) =>
    rows(ODD_ANSWERS)(async (_name, answer) => {
      expect(await lets(answer as () => never).catch(() => false)).toBe(false)
    }),
  ))

test('yes is a yes', async () => {
  const yes: Readonly<Record<string, unknown>> = { 'matches, denied': false, 'a schema': { value: {} } }
  for (const [decider, lets] of Object.entries(DECIDERS)) {
    expect(await lets((() => yes[decider] ?? true) as () => never), decider).toBe(true)
  }
})
