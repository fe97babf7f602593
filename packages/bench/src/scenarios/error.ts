// The way of a call that fails: an error is thrown, written, carried and thrown again, beside an answer that is not.
import { isolationRingJson, portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { failingCall, usualCall } from '../payloads/greet.js'
import type { Payload } from '../payloads/payload.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

const pair = (id: 'answer' | 'error', title: string, payload: Payload): Case[] => [
  {
    id,
    title: `${title}, one at a time`,
    task: { loop: 'calls', inFlight: 1 },
    payload,
    figures: [latency('p50', `${title}, p50`)],
  },
  {
    id: `${id}-64`,
    title: `${title}, 64 in flight`,
    task: { loop: 'calls', inFlight: 64 },
    payload,
    figures: [rate('rate', `64 ${title}s`)],
  },
]

export const error: Scenario = {
  id: 'error',
  title: 'A call that fails, beside one that is answered',
  about: 'a handler that throws, and the same call where it returns; the reference posts the message of the error',
  arms: [rawPort, portJson, ringJson, isolationRingJson],
  cases: [...pair('answer', 'answer', usualCall), ...pair('error', 'error', failingCall)],
  rows: 'arms',
  ...SHORT_SLOT,
}
