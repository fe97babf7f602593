// The router alone: frontends have theirs of an event before a listener of this thread can touch its payload.
import { isBusError } from '@sallyport/protocol'
import { expect, it } from 'vitest'
import { LocalListeners } from '../core/create-app.js'
import { EventRouter } from './router.js'

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

it('a network is told of what is emitted, before the listeners, and not of what is delivered or filtered', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const told: unknown[] = []
  const to = { kind: 'AnyLabel', label: 'a' } as const
  router.onEmit((...event) => void told.push(event))
  local.listen('e', ({ payload }) => void told.push(payload), { kind: 'Any' })
  router.emit('e', 1)
  router.emitTo(to, 'e', 2)
  router.deliver(to, 'e', 3)
  router.emitWhere('e', 4, () => true)
  router.emit('nobody-listens', 5)
  expect(told).toEqual([[undefined, 'e', 1], 1, [to, 'e', 2], 2, 3, 4, [undefined, 'nobody-listens', 5]])
  expect(() => router.emit('no name', 6)).toThrow(expect.toSatisfy(error => isBusError(error, 'InvalidParams')))
  expect(told).toHaveLength(7)
})

it('a network that can’t carry an event keeps it from nobody here, and the emitter hears of it', () => {
  const router = new EventRouter()
  const heard: unknown[] = []
  new LocalListeners(router).listen('e', ({ payload }) => void heard.push(payload), { kind: 'Any' })
  router.onEmit(() => {
    throw new Error('too large')
  })
  expect(() => router.emit('e', 1)).toThrow('too large')
  expect(heard).toEqual([1])
})
