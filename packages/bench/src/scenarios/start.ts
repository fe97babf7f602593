// From nothing to the first reply: threads, modules, keys, and a sandbox for the hook.
import { emptyWorker } from '../arms/empty-worker.js'
import { startIsolation, startRing } from '../arms/start.js'
import { greet } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'

export const start: Scenario = {
  id: 'start',
  title: 'Start',
  about: 'from createBus to the first reply in the frontend; the reference is one empty Worker',
  main: true,
  arms: [emptyWorker, startRing, startIsolation],
  cases: [
    {
      id: 'start',
      title: 'start to first reply',
      task: { loop: 'start' },
      payload: greet,
      figures: [latency('time', 'first reply')],
    },
  ],
  rows: 'cases',
  // A start takes as long as it takes: about this many slots. One is enough to have read the files.
  share: 2,
  warmUpShare: 0.15,
}
