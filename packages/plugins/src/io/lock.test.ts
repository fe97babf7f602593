import { expect, test } from 'vitest'
import { FairLock } from './lock.js'

test('exclusive work runs alone, in the order of the calls, and errors end only their own call', async () => {
  const lock = new FairLock()
  const log: string[] = []
  const work = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`)
    await Promise.resolve()
    log.push(`${name} ends`)
    if (name === 'b') throw new Error('b')
  }
  const results = await Promise.allSettled([
    lock.shared(work('a')),
    lock.exclusive(work('b')),
    lock.shared(work('c')),
    lock.shared(work('d')),
    lock.exclusive(work('e')),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
  expect(log).toEqual([
    ...['a begins', 'a ends', 'b begins', 'b ends'],
    ...['c begins', 'd begins', 'c ends', 'd ends', 'e begins', 'e ends'],
  ])
})
