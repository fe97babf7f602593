import { describe, expect, test } from 'vitest'
import { densityArms, densityProcessArms, densitySesArms } from '../../src/arms/density.js'
import { clockedCall } from '../../src/payloads/payloads.js'
import { lacksProcessTree } from '../../src/density/process-tree.js'

const arms = [...densityArms, ...densitySesArms.slice(1), ...densityProcessArms]

describe.runIf(lacksProcessTree() === undefined)('two frontends on one host', () => {
  test.each(arms)('$title: have memory, CPU time, a start and a call', async arm => {
    const { measure } = await arm.open()
    const measured = await measure({ loop: 'density', ms: 0, size: 2 }, clockedCall)
    expect(Object.keys(measured)).toEqual(['pss', 'cpu', 'time', 'p50'])
    for (const figure of Object.values(measured)) expect(figure).toBeGreaterThan(0)
  })
})
