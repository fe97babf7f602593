// The two cases that most questions about a call are asked in.
import type { Payload } from '../payloads/payload.js'
import { cpuTime, latency, rate, type Case, type FigureKind } from '../scenario.js'

/** The two without the CPU time, for scenarios in which it would count more than the calls. */
export const callCases = (payload: Payload, ofOne: readonly FigureKind[]): Case[] => [
  { ...alone(payload), figures: [...ofOne] },
  { ...pipelined(payload, '64', '64 in flight'), figures: [rate('rate', '64 calls')] },
]

/** One at a time: the median, and in the report the CPU time of the whole process for each. */
export const alone = (payload: Payload, id = '1', title = 'one at a time'): Case => ({
  id,
  title,
  task: { loop: 'calls', inFlight: 1 },
  payload,
  figures: [latency('p50', `${id === '1' ? '' : `${title}, `}p50`), { ...cpuTime, aside: true }],
})

/** 64 in flight: calls a second, and the CPU time. */
export const pipelined = (payload: Payload, id = '64', title = '64 calls'): Case => ({
  id,
  title,
  task: { loop: 'calls', inFlight: 64 },
  payload,
  figures: [rate('rate', title), { ...cpuTime, aside: true }],
})
