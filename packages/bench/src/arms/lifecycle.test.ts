import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { usualCall } from '../payloads/payloads.js'
import { memoryArm, occupyCore } from './lifecycle.js'

test('reports an error of the measuring process', async () => {
  const arm = await memoryArm('no-such-sandbox', '').open()
  await expect(arm.measure({ loop: 'memory', ms: 0 }, usualCall)).rejects.toThrow("Unknown sandbox 'no-such-sandbox'")
})

describe('an occupied core', () => {
  function isRunning(pid: number): boolean {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  async function exits(pid: number): Promise<boolean> {
    for (let waited = 0; waited < 5000 && isRunning(pid); waited += 20) await delay(20)
    return !isRunning(pid)
  }

  test('is released at the end', async () => {
    const { pid, end } = await occupyCore()
    expect(isRunning(pid)).toBe(true)
    await end()
    expect(isRunning(pid)).toBe(false)
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('is released when the benchmark itself ends by %s', async signal => {
    const module = new URL('../../dist/arms/lifecycle.js', import.meta.url).href
    const script = `const { occupyCore } = await import('${module}'); console.log((await occupyCore()).pid)`
    const bench = spawn(process.execPath, ['--input-type=module', '--eval', script])
    const [output] = (await once(bench.stdout, 'data')) as [Buffer]
    const pid = Number(output.toString())
    expect(isRunning(pid)).toBe(true)
    bench.kill(signal)
    expect(await exits(pid)).toBe(true)
  })
})
