// The limits of a process over invented samples, and the usage of a real process.
import { describe, expect, test } from 'vitest'
import { createLimitCheck, readUsage } from './child.js'

const MIB = 2 ** 20

test('reports memory as soon as it exceeds the limit', () => {
  const check = createLimitCheck({ memory: 100 })
  expect(check({ memory: 100 * MIB, cpu: 1e9 }, 0)).toBeUndefined()
  expect(check({ memory: 100 * MIB + 1, cpu: 0 }, 1)).toBe('used 101 MiB of memory (limit: 100 MiB)')
})

describe('CPU time over ten seconds', () => {
  /** Samples every 100 ms, with this share of a core in each phase. Returns the first exceeded limit with its time. */
  function run(cpu: number, phases: [seconds: number, share: number][]): [number, string] | undefined {
    const check = createLimitCheck({ cpu })
    let [now, used] = [0, 500]
    for (const [seconds, share] of phases) {
      for (const end = now + seconds * 1000; now < end; now += 100) {
        const exceeded = check({ memory: 0, cpu: used }, now)
        if (exceeded) return [now, exceeded]
        used += share * 100
      }
    }
    return undefined
  }

  test('is reported after ten seconds above the limit, and not before', () => {
    expect(run(0.5, [[20, 1]])).toEqual([10_000, 'used 1.00 of a core for 10 s (limit: 0.5)'])
    expect(run(0.5, [[60, 0.5]])).toBeUndefined()
    expect(run(2, [[60, 1.9]])).toBeUndefined()
  })

  test('allows a short burst, but not a longer one', () => {
    const quiet: [number, number] = [30, 0]
    expect(run(0.5, [quiet, [4, 1], quiet])).toBeUndefined()
    expect(run(0.5, [quiet, [6, 1], quiet])?.[0]).toBe(35_100)
  })

  test('is the same for samples that come late', () => {
    const check = createLimitCheck({ cpu: 0.5 })
    expect(check({ memory: 0, cpu: 0 }, 0)).toBeUndefined()
    expect(check({ memory: 0, cpu: 14_000 }, 30_000)).toBeUndefined()
    expect(check({ memory: 0, cpu: 24_000 }, 45_000)).toBe('used 0.67 of a core for 10 s (limit: 0.5)')
  })
})

test.runIf(process.platform === 'linux')('reads the usage that a process sees of itself', () => {
  const { user, system } = process.cpuUsage()
  const until = performance.now() + 60
  while (performance.now() < until);
  const usage = readUsage(process.pid)!
  expect(usage.memory / process.memoryUsage().rss).toBeCloseTo(1, 0)
  expect(usage.cpu).toBeGreaterThanOrEqual((user + system) / 1000)
  expect(readUsage(2 ** 30)).toBeUndefined()
})
