// The order of deliveries, and which events the listener of a network receives.
import { isBusError } from '@sallyport/protocol/internal'
import { expect, it } from 'vitest'
import { LocalListeners } from '../core/create-app.js'
import { EventRouter } from './router.js'

it('delivers to core last, so that its changes of the payload reach no frontend', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const received: unknown[] = []
  const frontend = (label: string) => ({
    label,
    deliver: (_delivery: unknown, { value }: { value: unknown }) =>
      void received.push([label, [...(value as Uint8Array)]]),
  })
  const overwrite = ({ payload }: { payload: unknown }): void => {
    received.push('core')
    ;(payload as Uint8Array).fill(9)
  }
  router.listen('e', { kind: 'Any' }, frontend('a'))
  local.listen('e', overwrite, { kind: 'Any' })
  router.listen('e', { kind: 'Any' }, frontend('b'))
  local.listen('e', overwrite, { kind: 'Any' })
  router.emit('e', new Uint8Array([1, 2]))
  expect(received).toEqual([['a', [1, 2]], ['b', [1, 2]], 'core', 'core'])
})

it('calls the onEmit listener before other listeners, for emit and emitTo only', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const calls: unknown[] = []
  const to = { kind: 'AnyLabel', label: 'a' } as const
  router.onEmit((...event) => void calls.push(event))
  local.listen('e', ({ payload }) => void calls.push(payload), { kind: 'Any' })
  router.emit('e', 1)
  router.emitTo(to, 'e', 2)
  router.deliver(to, 'e', 3)
  router.deliverWhere('e', 4, () => true)
  router.emit('nobody-listens', 5)
  expect(calls).toEqual([[undefined, 'e', 1], 1, [to, 'e', 2], 2, 3, 4, [undefined, 'nobody-listens', 5]])
  expect(() => router.emit('no name', 6)).toThrow(expect.toSatisfy(error => isBusError(error, 'InvalidParams')))
  expect(calls).toHaveLength(7)
})

it('delivers an event here and throws when the onEmit listener throws', () => {
  const router = new EventRouter()
  const received: unknown[] = []
  new LocalListeners(router).listen('e', ({ payload }) => void received.push(payload), { kind: 'Any' })
  router.onEmit(() => {
    throw new Error('too large')
  })
  expect(() => router.emit('e', 1)).toThrow('too large')
  expect(received).toEqual([1])
})
