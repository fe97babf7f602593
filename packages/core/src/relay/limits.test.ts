// When a process has used too much, by figures that are made up; and figures of a process that is there.
import { describe, expect, test } from 'vitest'
import { createJudge, readUsage } from './limits.js'

const MIB = 2 ** 20

test('memory counts at once', () => {
  const judge = createJudge({ memory: 100 })
  expect(judge({ memory: 100 * MIB, cpu: 1e9 }, 0)).toBeUndefined()
  expect(judge({ memory: 100 * MIB + 1, cpu: 0 }, 1)).toBe('uses 101 MiB of memory, and may use 100')
})

describe('a core counts over ten seconds', () => {
  /** One look each tenth of a second, with this share of a core in each of the phases; the time of the verdict. */
  function verdict(cpu: number, phases: [seconds: number, share: number][]): [number, string] | undefined {
    const judge = createJudge({ cpu })
    let [now, used] = [0, 500]
    for (const [seconds, share] of phases) {
      for (const end = now + seconds * 1000; now < end; now += 100) {
        const why = judge({ memory: 0, cpu: used }, now)
        if (why) return [now, why]
        used += share * 100
      }
    }
    return undefined
  }

  test('what is over it is found, and not before', () => {
    expect(verdict(0.5, [[20, 1]])).toEqual([10_000, 'has used 1.00 of a core for 10 s, and may use 0.5'])
    expect(verdict(0.5, [[60, 0.5]])).toBeUndefined()
    expect(verdict(2, [[60, 1.9]])).toBeUndefined()
  })

  test('a burst is let pass, a longer one not', () => {
    const quiet: [number, number] = [30, 0]
    expect(verdict(0.5, [quiet, [4, 1], quiet])).toBeUndefined()
    expect(verdict(0.5, [quiet, [6, 1], quiet])?.[0]).toBe(35_100)
  })

  test('a look that comes late sees the same', () => {
    const judge = createJudge({ cpu: 0.5 })
    expect(judge({ memory: 0, cpu: 0 }, 0)).toBeUndefined()
    expect(judge({ memory: 0, cpu: 14_000 }, 30_000)).toBeUndefined()
    expect(judge({ memory: 0, cpu: 24_000 }, 45_000)).toBe('has used 0.67 of a core for 10 s, and may use 0.5')
  })
})

test.runIf(process.platform === 'linux')('a process is seen as it sees itself', () => {
  const { user, system } = process.cpuUsage()
  const until = performance.now() + 60
  while (performance.now() < until);
  const usage = readUsage(process.pid)!
  expect(usage.memory / process.memoryUsage().rss).toBeCloseTo(1, 0)
  expect(usage.cpu).toBeGreaterThanOrEqual((user + system) / 1000)
  expect(readUsage(2 ** 30)).toBeUndefined()
})
