// The router alone: frontends have theirs of an event before a listener of this thread can touch its payload.
import { expect, it } from 'vitest'
import { EventRouter } from './events.js'
import { LocalListeners } from './local-listeners.js'

it('listeners of core come last, whoever listened first: what they do with a payload concerns nobody else', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const heard: unknown[] = []
  const frontend = (label: string) => ({
    label,
    deliver: (_delivery: unknown, { value }: { value: unknown }) =>
      void heard.push([label, [...(value as Uint8Array)]]),
  })
  const spoil = ({ payload }: { payload: unknown }): void => {
    heard.push('core')
    ;(payload as Uint8Array).fill(9)
  }
  router.listen('e', { kind: 'Any' }, frontend('a'))
  local.listen('e', spoil, { kind: 'Any' })
  router.listen('e', { kind: 'Any' }, frontend('b'))
  local.listen('e', spoil, { kind: 'Any' })
  router.emit('e', new Uint8Array([1, 2]))
  expect(heard).toEqual([['a', [1, 2]], ['b', [1, 2]], 'core', 'core'])
})
