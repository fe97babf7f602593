import { expect, test } from 'vitest'
import { usualCall } from '../payloads/greet.js'
import type { Task } from '../task.js'
import { openInPair } from './pair.js'

const task: Task = { loop: 'calls', ms: 1 }

test('the threads end with the last arm, and later ones have threads of their own', async () => {
  const [first, second] = [await openInPair('raw'), await openInPair('birpc')]
  await first.measure(task, usualCall)
  await first.close()
  await expect(second.measure(task, usualCall)).resolves.toHaveProperty('p50')
  await second.close()
  await expect(second.measure(task, usualCall)).rejects.toThrow('ended')
  const third = await openInPair('raw')
  await expect(third.measure(task, usualCall)).resolves.toHaveProperty('p50')
  await third.close()
})

test('what fails in one arm is told there, and the others go on', async () => {
  const missing = { ...usualCall, id: 'missing', calls: usualCall.calls.map(call => ({ ...call, command: 'none' })) }
  const [failing, going] = [await openInPair('birpc'), await openInPair('raw')]
  try {
    await expect(failing.measure(task, missing)).rejects.toThrow('none')
    await expect(going.measure(task, usualCall)).resolves.toHaveProperty('p50')
    await expect(failing.measure(task, usualCall)).resolves.toHaveProperty('p50')
  } finally {
    await Promise.all([failing.close(), going.close()])
  }
})
