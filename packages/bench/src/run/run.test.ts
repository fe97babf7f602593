import { setMaxListeners } from 'node:events'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getScenario } from '../../test/sample-report.js'
import { usualCall } from '../model/payloads.js'
import {
  type Arm,
  type Arms,
  type Case,
  type FigureKind,
  latency,
  type Measurement,
  type OpenArm,
  rate,
  type Scenario,
  type Task,
} from '../model/scenario.js'
import { drawDifference } from '../report/answers.js'
import { scenarioReport } from '../report/build.js'
import type { CaseReport, Figure } from '../report/report.js'
import { estimateDifference } from '#measure/statistics'
import {
  checkMeasurement,
  interleave,
  type Launch,
  type Outcome,
  type Plan,
  run as runWith,
  type Watcher,
} from './run.js'

const plan: Plan = { mode: 'quick', processes: 1, discarded: 1, rounds: 2, slotMs: 1, budgetMs: 60_000 }
const silent: Watcher = { scenario: () => {}, slot: () => {}, done: () => {} }
const running = new AbortController().signal
setMaxListeners(0, running)

/** Opens arms in this process. */
const launchHere: Launch = () => ({ open: (_, arm) => arm.open(), end: async () => {} })

const run = (
  scenarios: readonly Scenario[],
  plan: Plan,
  watcher: Watcher,
  signal: AbortSignal,
  launch = launchHere,
): Promise<Outcome[]> => runWith(scenarios, plan, watcher, signal, launch)

const inCase = (id: string, inFlight = 1): Case => ({
  id,
  title: id,
  task: { loop: 'calls', inFlight },
  payload: usualCall,
  figures: [rate('rate', 'calls')],
})

interface Log {
  measured: string[]
  open: number
}

function createScenario(log: Log, measures: Record<string, OpenArm['measure']>, cases = [inCase('one')]): Scenario {
  const arms = Object.entries(measures).map(([id, measure]): Arm => ({
    id,
    title: id,
    open: async () => {
      log.open++
      return {
        measure: (task, payload) => {
          log.measured.push(`${id}${task.inFlight}`)
          return measure(task, payload)
        },
        close: async () => void log.open--,
      }
    },
  }))
  return { id: 'test', title: '', about: '', arms: arms as unknown as Arms, cases, rows: 'cases' }
}

const fine = async ({ ms }: Task): Promise<{ rate: number }> => ({ rate: ms })
const newLog = (): Log => ({ measured: [], open: 0 })

describe('rounds', () => {
  test('measure arms forwards, then backwards, and begin every two rounds with the next one', async () => {
    const log = newLog()
    await run(
      [createScenario(log, { a: fine, b: fine, c: fine })],
      { ...plan, discarded: 0, rounds: 4 },
      silent,
      running,
    )
    expect(log.measured.join(' ')).toBe('a1 b1 c1 c1 b1 a1 b1 c1 a1 a1 c1 b1')
  })

  test('keep the order of cases, and interleave the arms of each', () => {
    expect(interleave(['a1', 'b1', 'a2', 'b2'], 2, 1)).toEqual(['a1', 'b1', 'a2', 'b2'])
    expect(interleave(['a1', 'b1', 'a2', 'b2'], 2, 2)).toEqual(['b1', 'a1', 'b2', 'a2'])
  })

  const precise: Case = { ...inCase('one'), figures: [{ ...rate('rate', 'calls'), precise: 0.05 }] }

  test('go on until the intervals of ratios are narrow', async () => {
    const rates = [10, 20, 10, 20]
    const measure: OpenArm['measure'] = async () => ({ rate: rates.shift() ?? 15 })
    const scenario = createScenario(newLog(), { a: fine, b: measure }, [precise])
    const [outcome] = await run([scenario], { ...plan, discarded: 0, rounds: 4 }, silent, running)
    expect(outcome!.ended).toBe('intervals')
    expect(outcome!.cells[0]!.processes[0]!.length).toBeGreaterThan(6)
  })

  test('measure one payload after the other, and give the time to the one whose ratios have wide intervals', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const [steady, wide] = ['steady', 'wide'].map(id => ({ ...precise, id, payload: { ...usualCall, id } }))
    let count = 0
    const measure: OpenArm['measure'] = async (_, { id }) => {
      vi.advanceTimersByTime(10)
      return { rate: id === 'wide' && count++ % 3 === 0 ? 30 : 10 }
    }
    const log = newLog()
    const scenario = createScenario(log, { a: measure, b: measure }, [wide!, steady!])
    const twice: Plan = { ...plan, discarded: 0, rounds: 6, processes: 2, budgetMs: 2000 }
    const [outcome] = await run([scenario], twice, silent, running)
    const [first, , second] = outcome!.cells.map(({ processes }) => processes.map(({ length }) => length))
    expect(second).toEqual([6, 6])
    expect(first![1]).toBeGreaterThan(50)
  })

  test('measure each payload in every process, also on a machine that is too slow', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const slow = async (): Promise<{ rate: number }> => {
      vi.advanceTimersByTime(400)
      return { rate: 1 }
    }
    const cases = ['one', 'two'].map(id => ({ ...precise, id, payload: { ...usualCall, id } }))
    const twice: Plan = { ...plan, discarded: 0, processes: 2, budgetMs: 2000 }
    const scenario: Scenario = { ...createScenario(newLog(), { a: slow, b: slow }, cases), from: 'quick' }
    const [outcome] = await run([scenario], twice, silent, running)
    const rounds = outcome!.cells.map(({ processes }) => processes.map(({ length }) => length))
    expect(rounds).toEqual(Array.from({ length: 4 }, () => [2, 2]))
  })

  test('open the arms again in each process, and continue their order', async () => {
    const log = newLog()
    const two: Plan = { ...plan, discarded: 0, processes: 2 }
    let launches = 0
    const launch: Launch = () => {
      launches++
      return launchHere()
    }
    const [outcome] = await run([createScenario(log, { a: fine, b: fine })], two, silent, running, launch)
    expect(outcome?.cells.map(({ processes }) => processes.map(rounds => rounds.length))).toEqual([
      [2, 2],
      [2, 2],
    ])
    expect(log).toEqual({ measured: 'a1 b1 b1 a1 b1 a1 a1 b1'.split(' '), open: 0 })
    expect(launches).toBe(2)
  })

  test('discard the first, and close all arms', async () => {
    const log = newLog()
    const [outcome] = await run([createScenario(log, { a: fine })], plan, silent, running)
    expect(log).toEqual({ measured: ['a1', 'a1', 'a1'], open: 0 })
    expect(outcome?.cells[0]?.processes).toEqual([[{ rate: 1 }, { rate: 1 }]])
  })

  test('discard none of fresh processes', async () => {
    const log = newLog()
    await run([{ ...createScenario(log, { a: fine }), spawns: true }], plan, silent, running)
    expect(log.measured).toEqual(['a1', 'a1'])
  })

  test('are as many as planned when each measurement takes its time, with a warm-up of any length', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const exact = async ({ ms, settleMs = 0 }: Task): Promise<{ rate: number }> => {
      vi.advanceTimersByTime(ms + settleMs)
      return { rate: 1 }
    }
    const warm: Case = { ...inCase('one', 3), warmUpMs: 400 }
    const long: Plan = { ...plan, rounds: 8, slotMs: 20, budgetMs: 0 }
    const [outcome] = await run([createScenario(newLog(), { a: exact, b: exact }, [warm])], long, silent, running)
    expect(outcome).toMatchObject({ ended: 'rounds', cells: [{ processes: [{ length: 8 }] }, {}] })
  })
})

describe('failures', () => {
  test('leave out an arm that fails, and go on with the others', async () => {
    const log = newLog()
    const fails = (): Promise<never> => Promise.reject(new Error('broken'))
    const [outcome] = await run([createScenario(log, { a: fine, b: fails })], plan, silent, running)
    expect(
      outcome?.cells.map(({ arm, processes, error }) => [arm.id, processes.flat().length, error?.message]),
    ).toEqual([
      ['a', 2, undefined],
      ['b', 0, 'broken'],
    ])
    expect(log.measured.filter(name => name === 'b1')).toHaveLength(1)
    expect(log.open).toBe(0)
  })

  test('leave out an arm that cannot be opened', async () => {
    const scenario = createScenario(newLog(), { a: fine })
    const shut: Arm = { id: 'shut', title: 'shut', open: () => Promise.reject(new Error('shut')) }
    const [outcome] = await run([{ ...scenario, arms: [...scenario.arms, shut] }], plan, silent, running)
    expect(outcome?.cells.map(({ error }) => error?.message)).toEqual([undefined, 'shut'])
  })
})

test('settles before each measurement, and warms up in the round that is discarded', async () => {
  const tasks: Task[] = []
  const listens = async (task: Task): Promise<{ rate: number }> => {
    tasks.push(task)
    return { rate: 1 }
  }
  const warm: Case = { ...inCase('one', 3), warmUpMs: 400 }
  const scenario: Scenario = {
    ...createScenario(newLog(), { a: listens }, [warm]),
    share: 10,
    settleShare: 0.5,
    roundsShare: 1 / 3,
  }
  await run([scenario], { ...plan, rounds: 12 }, silent, running)
  expect(tasks.slice(-5).map(({ loop, inFlight, ms, settleMs }) => [loop, inFlight, ms, settleMs])).toEqual([
    ...Array.from({ length: 5 }, () => ['calls', 3, 10, 5]),
  ])
})

test('warms up until calls are enough, or took their CPU time, or half of it when three slots agree', () =>
  rows([
    ['enough', 400_000, () => 0.001, 3],
    ['time', 1000, (slot: number) => 100 * 2 ** slot, 6],
    ['agreement', 1000, () => 500, 6],
  ])(async (_, aSecond, getCpu, slots) => {
    let made = 0
    const measure = async (): Promise<Measurement> => ({ cpu: getCpu(made++), rate: aSecond })
    const scenario = createScenario(newLog(), { a: measure }, [{ ...inCase('one', 3), warmUpMs: 500 }])
    await run([scenario], { ...plan, rounds: 1, slotMs: 100 }, silent, running)
    expect(made - 1).toBe(slots)
  }))

test('ends a measurement that hangs, and closes the arms, when it is aborted', async () => {
  const log = newLog()
  const controller = new AbortController()
  const hangs = (): Promise<never> => {
    setImmediate(() => controller.abort(new Error('stop')))
    return new Promise(() => {})
  }
  await expect(run([createScenario(log, { a: hangs })], plan, silent, controller.signal)).rejects.toThrow('stop')
  expect(log.open).toBe(0)
})

test('measures nothing when it is aborted while the last arm opens', async () => {
  const log = newLog()
  const controller = new AbortController()
  const scenario = createScenario(log, { a: fine })
  const [arm] = scenario.arms
  const open = async (): Promise<OpenArm> => {
    controller.abort(new Error('stop'))
    return arm.open()
  }
  const aborted = run([{ ...scenario, arms: [{ ...arm, open }] }], plan, silent, controller.signal)
  await expect(aborted).rejects.toThrow('stop')
  expect(log).toEqual({ measured: [], open: 0 })
})

test('ends the process of an arm that cannot be closed', async () => {
  const scenario = createScenario(newLog(), { a: fine })
  let ended = 0
  const launch: Launch = () => ({
    open: async () => ({ measure: fine, close: () => new Promise(() => {}) }),
    end: async () => void ended++,
  })
  await run([scenario], plan, silent, running, launch)
  expect(ended).toBe(1)
})

describe('checkMeasurement', () => {
  const left: FigureKind = { ...latency('left', 'left'), unit: 'B' }
  const figures = [latency('p50', 'p50'), left]

  test('accepts numbers, and figures that were not measured', () => {
    expect(checkMeasurement({ figures }, { p50: 0, left: -5 })).toEqual({ p50: 0, left: -5 })
    expect(checkMeasurement({ figures }, { other: 1 })).toEqual({ other: 1 })
  })

  test('rejects figures that are no numbers from 0', () =>
    rows([
      [{ p50: NaN }, 'Invalid figure: p50 is NaN'],
      [{ p50: 1, left: Infinity }, 'Invalid figure: left is Infinity'],
      [{ p50: '12' }, 'Invalid figure: p50 is 12'],
      [{ p50: -1 }, 'Invalid figure: p50 is -1'],
    ])((measured, message) => expect(() => checkMeasurement({ figures }, measured as Measurement)).toThrow(message)))
})

describe('the cost of encryption', () => {
  const formats = getScenario('formats')
  const inSize = { ...formats.cases.find(({ id }) => id === 'call')!, figures: [latency('cpu', 'CPU time')] }
  const arms = formats.arms.filter(({ id }) => id.endsWith('ring-json') && id !== 'ring-json')
  const [HOOK_US, DRIFT, SCATTER, OUTLIER] = [7, 2, 0.03, 3]

  /** A machine on which all times drift to twice as long, each slot varies, and one slot in twenty takes three times as long. */
  async function measurePlanted(delayUs: number): Promise<{ encrypted: Figure; hook: Figure }> {
    let [state, slots] = [7919, 0]
    const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647
    const toArm = (arm: Arm): Arm => ({
      ...arm,
      open: async () => ({
        measure: async () => {
          const drift = 1 + ((DRIFT - 1) * slots++) / 200
          const scatter = Math.exp(SCATTER * (random() + random() + random() - 1.5) * 2)
          const time = HOOK_US + (arm.id.startsWith('isolation') ? delayUs : 0)
          return { cpu: time * drift * scatter * (random() < 1 / 20 ? OUTLIER : 1) }
        },
        close: async () => {},
      }),
    })
    const scenario: Scenario = { ...formats, arms: arms.map(toArm) as unknown as Arms, cases: [inSize], roundsShare: 1 }
    const [outcome] = await run([scenario], { ...plan, discarded: 0, rounds: 40 }, silent, running)
    const [{ results }] = scenarioReport(outcome!).cases as [CaseReport]
    const [hook, encrypted] = results.map(({ figures }) => figures[0]!)
    return { encrypted: encrypted!, hook: hook! }
  }

  test('is found and sized when a delay is planted in the arm with the cipher', () =>
    rows([1, 5, 20])(async delayUs => {
      const { encrypted, hook } = await measurePlanted(delayUs)
      expect(drawDifference(encrypted, hook, { isRefused: false }).text).toMatch(/^\+/)
      const { value, interval } = estimateDifference(encrypted.processes, hook.processes)!
      // The machine takes one to one and a half times as long as in the beginning.
      expect(interval[0]).toBeLessThan(delayUs * 1.5)
      expect(interval[1]).toBeGreaterThan(delayUs)
      expect(value).toBeGreaterThan(delayUs * 0.8)
      expect(value).toBeLessThan(delayUs * 1.7)
    }))

  test('is not measurable when nothing is planted', async () => {
    const { encrypted, hook } = await measurePlanted(0)
    const { text, note } = drawDifference(encrypted, hook, { isRefused: false })
    expect(text).toBe('not measurable')
    expect(note).toMatch(/^below 0\.\d+ µs$/)
  })
})
