// The arms whose measurements each run in a fresh process: few calls, and plugins.
import { bubblewrap, landlock, LauncherUnavailable } from '@sallyport/core/launchers'
import type { Payload } from '../model/payloads.js'
import type { Arm, Arms, Task } from '../model/scenario.js'
import { getPausedCalls } from '../plugin/measure.js'
import { lacksProcessTree } from '../run/machine.js'
import { type FreshJob, measureFresh } from '../run/processes.js'

/** Leaves the arm out where there is no wall. */
const withWall = (arm: Arm): Arm => ({ ...arm, lacks: lacksWall })

const lacksWall = (): Promise<string | undefined> =>
  Promise.any([bubblewrap(), landlock()]).then(lacksProcessTree, ({ errors }: AggregateError) => {
    for (const error of errors) if (!(error instanceof LauncherUnavailable)) throw error
    return `no wall works here (${errors.map(({ message }: Error) => message).join('; ')})`
  })

const freshArm = (id: string, title: string, createJob: (task: Task, payload: Payload) => FreshJob): Arm => ({
  id,
  title,
  open: async () => ({
    measure: (task, payload) => measureFresh(createJob(task, payload)),
    close: async () => {},
  }),
})

/** @param plugin - the kind of plugin */
const fewCallsArm = (id: string, title: string, plugin = id): Arm =>
  freshArm(id, title, ({ ms }, { calls: [greet] }) => ({ plugin, greet: greet!, count: getPausedCalls(ms) }))

/** The host calls a core in a worker. */
export const fewCallsArms: Arms = [
  fewCallsArm('raw', 'raw MessagePort', 'worker'),
  fewCallsArm('ring-json', "codec: 'json'"),
  fewCallsArm('port-json', 'SALLYPORT_LINK=port'),
  fewCallsArm('isolation-ring-json', 'isolation'),
]

/** @param id - the kind of plugin */
const pluginArm = (id: string, title: string): Arm => ({
  ...freshArm(id, title, ({ loop }) => ({ plugin: id, whole: loop === 'plugin' })),
  lacks: lacksProcessTree,
})

/** @param most - of them a machine has memory for. More are not measured */
const manyArm = (id: string, title: string, most = Infinity): Arm => {
  const { open, ...arm } = freshArm(id, title, ({ count }) => ({ plugin: id, many: count! }))
  return {
    ...arm,
    lacks: lacksProcessTree,
    open: async () => {
      const { measure, close } = await open()
      return { measure: async (task, payload) => (task.count! > most ? {} : measure(task, payload)), close }
    },
  }
}

/** Many plugins in one host. */
export const manyArms: Arms = [
  manyArm('quickjs', "'quickjs'"),
  withWall(manyArm('quickjs-wall-shared', "'quickjs' in a wall, 250 a process")),
  manyArm('permission', "'permission'", 100),
  withWall(manyArm('process-wall', "'process' in a wall", 100)),
]

/** One plugin in each sandbox. */
export const sandboxArms: Arms = [
  pluginArm('worker', 'raw Worker'),
  pluginArm('permission', "'permission'"),
  pluginArm('quickjs', "'quickjs'"),
  withWall(pluginArm('process-wall', "'process' in a wall")),
  withWall(pluginArm('process-wall-isolation', "'process' in a wall, isolation")),
]

/** Those, and what else a plugin can be. */
export const pluginArms: Arms = [
  ...sandboxArms,
  withWall(pluginArm('quickjs-wall', "'quickjs' in a wall")),
  pluginArm('fork', 'raw fork'),
]
