// A channel that core fills, against one postMessage for each message.
import { isolationRingJson, portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { rate, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

export const channel: Scenario = {
  id: 'channel',
  title: 'Messages of a channel, core → frontend',
  about: 'channels of 4096 messages that the sender awaits; the reference posts each message, and waits for none',
  main: true,
  arms: [rawPort, portJson, ringJson, isolationRingJson],
  cases: [
    {
      id: 'channel',
      title: 'channel',
      task: { loop: 'stream' },
      payload: usualCall,
      figures: [rate('rate', 'messages')],
    },
  ],
  rows: 'arms',
  ...SHORT_SLOT,
}
