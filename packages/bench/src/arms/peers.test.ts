import { expect, test } from 'vitest'
import type { Task } from '../model/scenario.js'
import { usualCall } from '../payloads/payloads.js'
import { openPeer } from './peers.js'

const task: Task = { loop: 'calls', ms: 1 }

test('ends the shared threads with the last arm, and starts new ones for later arms', async () => {
  const [first, second] = [await openPeer('raw'), await openPeer('birpc')]
  await first.measure(task, usualCall)
  await first.close()
  await expect(second.measure(task, usualCall)).resolves.toHaveProperty('p50')
  await second.close()
  await expect(second.measure(task, usualCall)).rejects.toThrow('exited')
  const third = await openPeer('raw')
  await expect(third.measure(task, usualCall)).resolves.toHaveProperty('p50')
  await third.close()
})

test('reports an error in the arm that failed, and goes on with the others', async () => {
  const missing = { ...usualCall, id: 'missing', calls: usualCall.calls.map(call => ({ ...call, command: 'none' })) }
  const [failing, working] = [await openPeer('birpc'), await openPeer('raw')]
  try {
    await expect(failing.measure(task, missing)).rejects.toThrow('none')
    await expect(working.measure(task, usualCall)).resolves.toHaveProperty('p50')
    await expect(failing.measure(task, usualCall)).resolves.toHaveProperty('p50')
  } finally {
    await Promise.all([failing.close(), working.close()])
  }
})
