import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Arm, OpenArm } from '../arm.js'
import { launchHere, type Launch } from './launch.js'
import { usualCall } from '../payloads/greet.js'
import type { Plan } from './plan.js'
import { run, type Watcher } from './run.js'
import { rate, type Case, type Scenario } from '../scenario.js'
import type { Task } from '../task.js'
import { inTurns } from './turns.js'

const plan: Plan = { mode: 'quick', processes: 1, warmUpMs: 2, rounds: 2, slotMs: 1, budgetMs: 60_000 }
/** With time for three measurements of the warm-up wherever they are taken: none of them takes as long as it is told to. */
const patient: Plan = { ...plan, warmUpMs: 2000, slotMs: 1000 }
const silent: Watcher = { scenario: () => {}, slot: () => {}, done: () => {} }
const running = new AbortController().signal

const inCase = (id: string, inFlight = 1): Case => ({
  id,
  title: id,
  task: { loop: 'calls', inFlight },
  payload: usualCall,
  figures: [rate('rate', 'calls')],
})

interface Log {
  told: string[]
  open: number
}

function scenarioOf(log: Log, measures: Record<string, OpenArm['measure']>, cases = [inCase('one')]): Scenario {
  const arms = Object.entries(measures).map(([id, measure]): Arm => ({
    id,
    title: id,
    open: async () => {
      log.open++
      return {
        measure: (task, payload) => {
          log.told.push(`${id}${task.inFlight}`)
          return measure(task, payload)
        },
        close: async () => void log.open--,
      }
    },
  }))
  return { id: 'test', main: true, title: '', about: '', arms: arms as [Arm, ...Arm[]], cases, rows: 'cases' }
}

const fine = async ({ ms }: Task): Promise<{ rate: number }> => ({ rate: ms })
/** What is steady from the start is warm after three measurements. */
const WARM_UP = ['a1', 'a1', 'a1']
const newLog = (): Log => ({ told: [], open: 0 })

describe('turns', () => {
  test('arms go forwards, then backwards, and each two rounds begin with the next one', async () => {
    const log = newLog()
    await run([scenarioOf(log, { a: fine, b: fine, c: fine })], { ...patient, rounds: 4 }, silent, running)
    expect(log.told.slice(9).join(' ')).toBe('a1 b1 c1 c1 b1 a1 b1 c1 a1 a1 c1 b1')
  })

  test('cases keep their order, and in each the arms have their turns', () => {
    expect(inTurns(['a1', 'b1', 'a2', 'b2'], 2, 1)).toEqual(['a1', 'b1', 'a2', 'b2'])
    expect(inTurns(['a1', 'b1', 'a2', 'b2'], 2, 2)).toEqual(['b1', 'a1', 'b2', 'a2'])
    expect(inTurns(['a1', 'b1', 'a2', 'b2'], 2, 0)).toHaveLength(4)
  })

  test('each process opens the arms anew, and the turns go on', async () => {
    const log = newLog()
    const two: Plan = { ...plan, warmUpMs: 0, processes: 2 }
    let launches = 0
    const launch: Launch = () => {
      launches++
      return launchHere()
    }
    const [outcome] = await run([scenarioOf(log, { a: fine, b: fine })], two, silent, running, launch)
    expect(outcome?.cells.map(({ processes }) => processes.map(rounds => rounds.length))).toEqual([
      [2, 2],
      [2, 2],
    ])
    expect(log).toEqual({ told: 'a1 b1 b1 a1 b1 a1 a1 b1'.split(' '), open: 0 })
    expect(launches).toBe(2)
  })

  test('the warm-up is discarded, and all arms are closed', async () => {
    const log = newLog()
    const [outcome] = await run([scenarioOf(log, { a: fine })], plan, silent, running)
    expect(outcome?.cells[0]?.processes).toEqual([[{ rate: 1 }, { rate: 1 }]])
    expect(log.open).toBe(0)
  })

  test('without a warm-up, the first round is the first measurement', async () => {
    const log = newLog()
    await run([{ ...scenarioOf(log, { a: fine }), warmUpShare: 0 }], plan, silent, running)
    expect(log.told).toEqual(['a1', 'a1'])
  })

  test('a scenario that is late stops after two rounds', async () => {
    const log = newLog()
    const late = async (): Promise<{ rate: number }> => {
      await delay(400)
      return { rate: 1 }
    }
    const short: Plan = { ...plan, warmUpMs: 0, rounds: 9, budgetMs: 0 }
    const [outcome] = await run([scenarioOf(log, { a: late })], short, silent, running)
    expect(outcome?.cells[0]?.processes[0]).toHaveLength(2)
  })
})

describe('failures', () => {
  test('an arm that fails is left out from then on, and the others go on', async () => {
    const log = newLog()
    const fails = (): Promise<never> => Promise.reject(new Error('broken'))
    const [outcome] = await run([scenarioOf(log, { a: fine, b: fails })], plan, silent, running)
    expect(
      outcome?.cells.map(({ arm, processes, error }) => [arm.id, processes.flat().length, error?.message]),
    ).toEqual([
      ['a', 2, undefined],
      ['b', 0, 'broken'],
    ])
    expect(log.told.filter(told => told === 'b1')).toHaveLength(1)
    expect(log.open).toBe(0)
  })

  test('so is one that can’t be opened', async () => {
    const scenario = scenarioOf(newLog(), { a: fine })
    const shut: Arm = { id: 'shut', title: 'shut', open: () => Promise.reject(new Error('shut')) }
    const [outcome] = await run([{ ...scenario, arms: [...scenario.arms, shut] }], plan, silent, running)
    expect(outcome?.cells.map(({ error }) => error?.message)).toEqual([undefined, 'shut'])
  })
})

describe('what goes on beside', () => {
  const beside = (log: Log) => async () => {
    log.told.push('begins')
    return { end: async () => void log.told.push('ends') }
  }

  test('begins before the arms open, and ends with them, also by an abort', async () => {
    const log = newLog()
    await run([{ ...scenarioOf(log, { a: fine }), beside: beside(log) }], patient, silent, running)
    expect(log.told).toEqual(['begins', ...WARM_UP, 'a1', 'a1', 'ends'])
    const stopped = newLog()
    const controller = new AbortController()
    const stopping = (): ReturnType<ReturnType<typeof beside>> => {
      controller.abort(new Error('stop'))
      return beside(stopped)()
    }
    const scenario = { ...scenarioOf(stopped, { a: fine }), beside: stopping }
    const aborted = run([scenario], plan, silent, controller.signal)
    await expect(aborted).rejects.toThrow()
    expect(stopped.told).toEqual(['begins', 'ends'])
  })

  test('without it nothing is measured', async () => {
    const scenario = {
      ...scenarioOf(newLog(), { a: fine }),
      beside: () => Promise.reject(new Error('no core to take')),
    }
    const [outcome] = await run([scenario], plan, silent, running)
    expect(outcome?.cells.map(({ processes, error }) => [processes.flat().length, error?.message])).toEqual([
      [0, 'no core to take'],
    ])
  })
})

test('a scenario settles before each measurement, but not before the warm-up, which may be another task', async () => {
  const tasks: Task[] = []
  const listens = async (task: Task): Promise<{ rate: number }> => {
    tasks.push(task)
    return { rate: 1 }
  }
  const one: Case = { ...inCase('one'), warmUp: { loop: 'calls', inFlight: 3 } }
  const scenario: Scenario = {
    ...scenarioOf(newLog(), { a: listens }, [one]),
    share: 10,
    settleShare: 0.5,
    roundsShare: 1 / 3,
  }
  await run([scenario], { ...plan, rounds: 12 }, silent, running)
  expect(tasks.map(({ inFlight, ms, settleMs }) => [inFlight, ms, settleMs])).toEqual([
    ...Array.from({ length: 2 }, () => [3, 2, undefined]),
    ...Array.from({ length: 4 }, () => [1, 10, 5]),
  ])
})

test('an abort ends a measurement that never would, and closes the arms', async () => {
  const log = newLog()
  const controller = new AbortController()
  const hangs = (): Promise<never> => {
    setImmediate(() => controller.abort(new Error('stop')))
    return new Promise(() => {})
  }
  await expect(run([scenarioOf(log, { a: hangs })], plan, silent, controller.signal)).rejects.toThrow('stop')
  expect(log.open).toBe(0)
})

test('an abort while the last arm opens is seen before anything is measured', async () => {
  const log = newLog()
  const controller = new AbortController()
  const scenario = scenarioOf(log, { a: fine })
  const [arm] = scenario.arms
  const open = async (): Promise<OpenArm> => {
    controller.abort(new Error('stop'))
    return arm.open()
  }
  const aborted = run([{ ...scenario, arms: [{ ...arm, open }] }], plan, silent, controller.signal)
  await expect(aborted).rejects.toThrow('stop')
  expect(log).toEqual({ told: [], open: 0 })
})

test('an arm that can’t be closed holds nobody up: its process is ended', async () => {
  const scenario = scenarioOf(newLog(), { a: fine })
  let ended = 0
  const launch: Launch = async () => ({
    open: async () => ({ measure: fine, close: () => new Promise(() => {}) }),
    end: async () => void ended++,
  })
  await run([scenario], plan, silent, running, launch)
  expect(ended).toBe(1)
})
