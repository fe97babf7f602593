// One round of the soak: test/matrix/soak runs ten, and looks for growth.
import { expect, test } from 'vitest'
import { runSoak } from './start.js'

test('after a round of traffic and faults, everything runs and nothing is in flight', async () => {
  const { stdout, code } = await runSoak('--seconds', '1', '--round', '1000', '--rounds', '1')
  expect(code, stdout).toBe(undefined)
  expect(stdout).toMatch(/^soak by seed 6: 1 rounds/)
})
