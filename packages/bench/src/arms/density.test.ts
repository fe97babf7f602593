import { expect, test } from 'vitest'
import { clockedCall } from '../payloads/payloads.js'
import { DENSITY, densityArms, densityProcessArms, densitySesArms } from './density.js'

test('each arm has an entry that says what it starts, and the reference starts nothing of ours', () => {
  for (const arms of [densityArms, densityProcessArms, densitySesArms]) {
    const [reference, ...others] = arms.map(({ id }) => DENSITY[id])
    expect(['worker', 'fork']).toContain(reference)
    for (const entry of others) expect(entry).toHaveProperty('sandbox')
  }
})

test('reports an error of the host that measures', async () => {
  const arm = await densityArms[0].open()
  const task = { loop: 'density', ms: 0, size: -1 } as const
  await expect(arm.measure(task, clockedCall)).rejects.toThrow('Invalid number of frontends: -1')
})
