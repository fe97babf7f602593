// Entry of the threads of the pool. Piscina requires this file. It is CommonJS, because Node 20 can abort the whole process when it
// ends a thread that requires an ES module.
import type { PoolOutcome, PoolTask } from './rpc/registry.js' with { 'resolution-mode': 'import' }

const loading = import('./pool-task.js')

const entry: { runTask: (task: PoolTask) => Promise<PoolOutcome>; doNothing: () => void } = {
  runTask: async task => (await loading).runTask(task),
  /** An empty task, which makes the pool start a thread. */
  doNothing: () => {},
}

export = entry
