import { describe, expect, test } from 'vitest'
import { densityArms } from '../arms/fresh.js'
import { usualCall } from '../scenarios/payloads.js'
import { lacksProcessTree } from '../run/process-tree.js'
import { measureDensity } from './measure-density.js'

describe.runIf(lacksProcessTree() === undefined)('many plugins', () => {
  test('have a start, CPU time and memory', async () => {
    const { measure } = await densityArms[0].open()
    const figures = await measure({ loop: 'density', ms: 0, size: 2 }, usualCall)
    expect(Object.keys(figures)).toEqual(['ready', 'cpu', 'pss'])
    for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0)
  })

  test('fail if their kind is unknown', async () => {
    await expect(measureDensity('nothing', 2)).rejects.toThrow("Unknown kind of plugin 'nothing'")
  })
})
