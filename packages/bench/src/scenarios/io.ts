// Handlers that do what handlers do: they await something, here a file of 1 KiB.
import { portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { kibFile } from '../payloads/file.js'
import { cpuTime, rate, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

/** Reads its file when it is asked for. */
export const io = (): Scenario => ({
  id: 'io',
  title: 'A handler that awaits a file',
  about:
    'the handler reads a file of 1 KiB and answers with its text, 64 in flight; the reference has the same handler',
  arms: [rawPort, portJson, ringJson],
  cases: [
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload: kibFile(),
      figures: [rate('rate', '64 calls'), cpuTime],
    },
  ],
  rows: 'arms',
  ...SHORT_SLOT,
})
