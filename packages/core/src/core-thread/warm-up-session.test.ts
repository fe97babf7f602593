// The calls before core's first one: every one is answered, and nothing of them is left.
import { expect, test } from 'vitest'
import { warmUpSession } from './warm-up-session.js'

const countTimers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('a session answers its calls, and closes', async () => {
  const before = countTimers()
  await warmUpSession()
  await expect.poll(countTimers).toBe(before)
})
