import { expect, test } from 'vitest'
import { usualCall } from '../payloads/greet.js'
import { memoryArm } from './memory.js'

test('what goes wrong in the other process is told', async () => {
  const arm = await memoryArm('no-such-sandbox', '').open()
  await expect(arm.measure({ loop: 'memory', ms: 0 }, usualCall)).rejects.toThrow('no sandbox no-such-sandbox')
})
