// The arms whose measurements each run in a fresh process: few calls, and plugins.
import type { FewCallsJob } from '../plugin/few-calls.js'
import { planPauses } from '../plugin/few-calls.js'
import { measureFresh, type FreshJob, type FreshOptions } from '../fresh/measure-fresh.js'
import { lacksProcessTree } from '../run/process-tree.js'
import type { Arm, Arms, Task } from '../model/scenario.js'
import type { Payload } from '../payloads/payloads.js'
import { lacksIsolatedVm, NODE_OPTIONS, readIsolatedVmVersion } from '../plugin/isolated-vm-plugins.js'
import { readVersion } from '../run/machine.js'
import { lacksWall } from './wall.js'

const freshArm = (
  id: string,
  title: string,
  createJob: (task: Task, payload: Payload) => FreshJob,
  options?: FreshOptions,
): Arm => ({
  id,
  title,
  open: async () => ({
    measure: (task, payload) => measureFresh(createJob(task, payload), options),
    close: async () => {},
  }),
})

const fewCallsArm = (id: string, title: string, caller: FewCallsJob['caller']): Arm =>
  freshArm(id, title, ({ ms }, { calls: [greet] }) => ({ fewCalls: { caller, greet: greet!, pauses: planPauses(ms) } }))

const withWall = (arm: Arm): Arm => ({ ...arm, lacks: lacksWall })

/** The host calls a core in a worker, or a function of a plugin. Reads the versions of the peers. */
export const fewCallsArms = (): Arms => [
  fewCallsArm('raw', 'raw MessagePort', { plugin: 'worker' }),
  ...['birpc', 'comlink'].map(id => fewCallsArm(id, `${id} ${readVersion(id)}`, { plugin: id })),
  fewCallsArm('ring-json', 'ring JSON', { link: 'ring', hook: false }),
  fewCallsArm('port-json', 'port JSON', { link: 'port', hook: false }),
  fewCallsArm('isolation-ring-json', 'isolation, ring JSON', { link: 'ring', hook: true }),
  fewCallsArm('process', 'process', { plugin: 'process' }),
  withWall(fewCallsArm('process-wall-gates', 'wall, isolation', { plugin: 'process-wall-gates' })),
  fewCallsArm('quickjs', 'quickjs', { plugin: 'quickjs' }),
]

/** @param id - the kind of plugin */
const pluginArm = (id: string, title: string, options?: FreshOptions): Arm => ({
  ...freshArm(id, title, ({ loop, size = 1 }) => ({ plugins: { kind: id, size, life: loop === 'plugin' } }), options),
  lacks: lacksProcessTree,
})

const workers = pluginArm('worker', 'raw Worker')
const forks = pluginArm('fork', 'raw fork')

/** One plugin. Reads the versions of the peers. */
export const pluginArms = (): Arms => [
  workers,
  forks,
  pluginArm('comlink', `comlink ${readVersion('comlink')}`),
  pluginArm('permission', 'permission'),
  withWall(pluginArm('process-wall', 'process, wall')),
  withWall(pluginArm('process-wall-gates', 'wall, isolation')),
  pluginArm('quickjs', 'quickjs'),
  withWall(pluginArm('quickjs-wall', 'quickjs, wall')),
  {
    ...pluginArm('isolated-vm', `isolated-vm ${readIsolatedVmVersion()}`.trim(), { execArgv: NODE_OPTIONS }),
    lacks: lacksIsolatedVm,
  },
]

const inPatterns = (id: string): Arm[] => [
  pluginArm(id, id),
  pluginArm(`${id}-gates`, `${id}, gates`),
  pluginArm(`${id}-shared`, `${id}, shared gate`),
]

/** Many plugins, by the kind of their sandbox. */
export const density: Readonly<Record<'threads' | 'quickjs' | 'scripts' | 'processes', Arms>> = {
  threads: [workers, ...inPatterns('permission')],
  quickjs: [workers, ...inPatterns('quickjs')],
  scripts: [
    pluginArm('quickjs', 'in one thread'),
    withWall(pluginArm('quickjs-processes', 'in walled processes of 250')),
  ],
  processes: [
    forks,
    ...inPatterns('process'),
    withWall(pluginArm('process-wall', 'process in a wall')),
    withWall(pluginArm('process-wall-shared', 'process in a wall, shared gate')),
  ],
}
