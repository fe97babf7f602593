import { expect, test } from 'vitest'
import { LastMinute, RecentEvents } from './recent.js'

const denied = { kind: 'denied' as const, label: 'main', what: 'read', why: 'no', where: '', count: 1 }

test('adds up equal troubles of the last minute, with the latest reason', () => {
  const minute = new LastMinute()
  minute.add(denied, 0)
  minute.add(denied, 30_000)
  minute.add({ ...denied, why: 'never', count: 5 }, 30_500)
  expect(minute.get(60_000)).toEqual([{ ...denied, why: 'never', count: 7 }])
  expect(minute.get(80_000)).toMatchObject([{ count: 6 }])
  expect(minute.get(100_000)).toEqual([])
})

test('keeps a bounded number of troubles', () => {
  const minute = new LastMinute()
  for (let i = 0; i < 10_000; i++) minute.add({ ...denied, what: `c${i}` }, 0)
  expect(minute.get(0).length).toBe(1000)
})

test('listens to nothing after its end', () => {
  const listening = new Set<string>()
  const events = new RecentEvents(name => {
    listening.add(name)
    return () => void listening.delete(name)
  })
  expect([...listening]).toContain('denied')
  events.end()
  expect([...listening]).toEqual([])
})
