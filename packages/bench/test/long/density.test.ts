import { describe, expect, test } from 'vitest'
import { density } from '../../src/arms/fresh.js'
import { lacksProcessTree } from '../../src/run/process-tree.js'
import { usualCall } from '../../src/payloads/payloads.js'

const arms = [...density.threads, ...density.quickjs.slice(1), ...density.processes].filter(
  ({ lacks }) => lacks?.() === undefined,
)

describe.runIf(lacksProcessTree() === undefined)('two plugins on one host', () => {
  test.each(arms)('$title: have a start, memory, CPU time and a call', async arm => {
    const { measure } = await arm.open()
    const measured = await measure({ loop: 'density', ms: 0, size: 2 }, usualCall)
    expect(Object.keys(measured)).toEqual(['ready', 'pss', 'cpu', 'p50'])
    for (const figure of Object.values(measured)) expect(figure).toBeGreaterThan(0)
  })
})
