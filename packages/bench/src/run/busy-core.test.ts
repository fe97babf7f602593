import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { takeOneCore } from './busy-core.js'

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function ends(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 5000 && isRunning(pid); waited += 20) await delay(20)
  return !isRunning(pid)
}

test('a core is given back', async () => {
  const { pid, end } = await takeOneCore()
  expect(isRunning(pid)).toBe(true)
  await end()
  expect(isRunning(pid)).toBe(false)
})

test.each(['SIGKILL', 'SIGTERM'] as const)('nothing is left where the benchmark itself ends by %s', async signal => {
  const module = new URL('../../dist/run/busy-core.js', import.meta.url).href
  const script = `const { takeOneCore } = await import('${module}'); console.log((await takeOneCore()).pid)`
  const bench = spawn(process.execPath, ['--input-type=module', '--eval', script])
  const [told] = (await once(bench.stdout, 'data')) as [Buffer]
  const pid = Number(told.toString())
  expect(isRunning(pid)).toBe(true)
  bench.kill(signal)
  expect(await ends(pid)).toBe(true)
})
