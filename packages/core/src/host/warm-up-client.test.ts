// The calls before a program's first one: every one is answered, and nothing of them is left.
import { expect, test } from 'vitest'
import { warmUpClient } from './warm-up-client.js'

const countTimers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('a client makes its calls once in a thread, and closes', async () => {
  const before = countTimers()
  const first = warmUpClient()
  expect(warmUpClient()).toBe(first)
  await first
  await expect.poll(countTimers).toBe(before)
})
