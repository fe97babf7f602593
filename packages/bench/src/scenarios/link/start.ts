// The start with rings, which take memory and a moment: against one empty Worker.
import { emptyWorker } from '../../arms/empty-worker.js'
import { startArm } from '../../arms/start.js'
import type { Scenario } from '../../scenario.js'
import { start } from '../start.js'

export const ringStart: Scenario = {
  ...start,
  id: 'link-start',
  title: 'Links: start',
  arms: [
    emptyWorker,
    startArm('ring-json', 'ring JSON', { codec: 'json', link: 'ring' }),
    startArm('isolation-ring-json', 'isolation, ring JSON', { codec: 'json', link: 'ring', hook: 'check' }),
  ],
}
