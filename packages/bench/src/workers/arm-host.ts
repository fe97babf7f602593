// A fresh process of the benchmark: opens arms and measures with them as it is asked to. It ends with its channel, so that
// nothing is left when the benchmark itself ends, in whatever way.
import { createBirpc } from 'birpc'
import { loadScenarios, type Additions } from '../scenarios/select.js'
import type { OpenArm } from '../arm.js'
import type { Scenario } from '../scenario.js'
import type { Measurement, Task } from '../task.js'

export interface ArmHost {
  /** Resolves when it can be asked. */
  ready(): Promise<void>
  /** @returns what the arm is called from now on */
  open(scenario: string, arm: string): Promise<number>
  /** @param payload its id; the payload itself is read here */
  measure(handle: number, task: Task, payload: string): Promise<Measurement>
  close(handle: number): Promise<void>
}

interface Opened {
  scenario: Scenario
  arm: OpenArm
}

export function createArmHost(scenarios: Promise<readonly Scenario[]>): ArmHost {
  const opened: Opened[] = []
  return {
    ready: async () => void (await scenarios),
    open: async (scenarioId, armId) => {
      const scenario = (await scenarios).find(({ id }) => id === scenarioId)
      const arm = scenario?.arms.find(({ id }) => id === armId)
      if (!scenario || !arm) throw new Error(`there is no ${scenarioId}/*/${armId} in this version`)
      return opened.push({ scenario, arm: await arm.open() }) - 1
    },
    measure: (handle, task, payloadId) => {
      const { scenario, arm } = opened[handle]!
      const found = scenario.cases.find(({ payload }) => payload.id === payloadId)
      if (!found) throw new Error(`there is no payload '${payloadId}' in ${scenario.id} in this version`)
      return arm.measure(task, found.payload)
    },
    close: handle => opened[handle]!.arm.close(),
  }
}

if (process.send) {
  const additions = JSON.parse(process.argv[2]!) as Additions
  createBirpc<object, ArmHost>(createArmHost(loadScenarios(additions).then(({ ours, own }) => [...ours, ...own])), {
    post: data => void process.send?.(data),
    on: receive => void process.on('message', receive),
  })
  process.on('disconnect', () => process.exit())
  // Ctrl-C goes to the whole group; who started this process ends it.
  process.on('SIGINT', () => {})
}
