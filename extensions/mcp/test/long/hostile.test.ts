// A hostile MCP server: whatever it does ends with an event, and nothing of it is left. The bus serves others meanwhile.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { defineCore } from '@sallyport/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { choose } from '../../../../scripts/testing.js'
import { countProcesses, hasWall, makeDirectory, openHostile, startBus } from '../start.js'

const RUN = 'plugin:hostile|run'
const never = { intensity: 0 }

const behaviours = [
  ['flood', 'it sent more than it was asked for'],
  ['notify', 'it sent more than it was asked for'],
  ['answers', 'it sent more than it was asked for'],
  ['line', 'it sent a message of more than 4194304 bytes'],
  ['exit', 'it exited with code 3'],
  ['forks', 'it needed more processes and threads than its limit of 40'],
  ['memory', 'it used more memory than its limit of 200 MiB'],
] as const

describe.runIf(hasWall)('a server that', () => {
  test.each(choose(behaviours, 0, -1))(
    'does %s ends with an event, and nothing else',
    async (behaviour, reason) => {
      const bus = await startBus({ core: defineCore({ commands: { ping: () => 'pong' } }) })
      const marker = `marker-${process.pid}-${behaviour}`
      const limits = { pids: 40, memory: 200, restarts: never }
      const server = await openHostile(bus, [behaviour, marker], limits)
      const failed = new Promise(resolve => server.on('failed', resolve))
      const client = await bus.connect('agent', { allow: ['hostile:default', 'ping'] })
      const call = client.invoke(RUN)
      await expect(call).rejects.toMatchObject({ code: expect.any(Number) })
      expect(await failed).toEqual({ reason })
      expect(await client.invoke('ping')).toBe('pong')
      await expect.poll(() => countProcesses(marker)).toBe(0)
      await server.close()
    },
    60_000,
  )

  test('sends half a frame holds up its own call alone, until its deadline', async () => {
    const bus = await startBus({ core: defineCore({ commands: { ping: () => 'pong' } }) })
    const server = await openHostile(bus, ['half'], { timeout: 60_000 })
    const client = await bus.connect('agent', { allow: ['hostile:default', 'ping'] })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const call = client.invoke(RUN)
    let end = ''
    call.catch((error: Error) => (end = error.message))
    expect(await client.invoke('ping')).toBe('pong')
    expect(end).toBe('')
    await expect.poll(() => (vi.advanceTimersByTime(60_000), end)).toMatch(/timed out/i)
    vi.useRealTimers()
    await server.close()
  }, 60_000)

  test('runs when its host is killed is not left behind', async () => {
    const marker = `marker-${process.pid}-killed`
    const path = fileURLToPath(new URL('../fixtures/host.mjs', import.meta.url))
    const host = spawn(process.execPath, [path, marker, makeDirectory()], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(host.stdout, 'data')
    expect(countProcesses(marker)).toBeGreaterThan(1)
    host.kill('SIGKILL')
    await expect.poll(() => countProcesses(marker)).toBe(0)
  }, 60_000)
})
