import { describe, expect, test } from 'vitest'
import { densityArms, densityProcessArms, densitySesArms, densityWallArms } from '../../src/arms/density.js'
import { lacksWall } from '../../src/density/lacks-wall.js'
import { clockedCall } from '../../src/payloads/payloads.js'
import { lacksProcessTree } from '../../src/run/process-tree.js'

const arms = [...densityArms, ...densitySesArms.slice(1), ...densityProcessArms]
const wallArms = lacksWall() === undefined ? densityWallArms.slice(1) : []

describe.runIf(lacksProcessTree() === undefined)('two frontends on one host', () => {
  test.each([...arms, ...wallArms])('$title: have memory, CPU time, a start and a call', async arm => {
    const { measure } = await arm.open()
    const measured = await measure({ loop: 'density', ms: 0, size: 2 }, clockedCall)
    expect(Object.keys(measured)).toEqual(['pss', 'cpu', 'time', 'p50'])
    for (const figure of Object.values(measured)) expect(figure).toBeGreaterThan(0)
  })
})
