// A process that measures one arm of `few-calls`, and posts the figures. Nothing that an arm shares with others is loaded before the start.
import { setTimeout as delay } from 'node:timers/promises'
import { lacksProcessTree, startTreeCpuClock } from '../run/process-tree.js'
import { CALLERS, type Caller } from '../few-calls/callers.js'
import { LEAD_MS } from '../few-calls/loops.js'
import type { FewCalls, FewCallsJob } from '../few-calls/measure-few-calls.js'
import { answerParent } from '../run/answer-parent.js'
import { sharedClock } from '../shared/clock.js'

/** Time for the garbage and the compilations of the calls before. */
const SETTLE_MS = 100

/** Calls take time in addition to their pauses. The CPU time is read after the last call, by the same clock in each arm. */
const SLACK = 1.2

type Paused = FewCalls['paused'][number]

async function measurePaused(caller: Caller, pauseMs: number, count: number, hasCpu: boolean): Promise<Paused> {
  const getTimes = await caller.startCalls(pauseMs, count)
  await delay(LEAD_MS / 2)
  const readCpu = startTreeCpuClock()
  await delay(LEAD_MS + pauseMs * count * SLACK)
  const cpu = readCpu() / count
  const times = await getTimes()
  return { ...(times && { times }), ...(hasCpu && { cpu }) }
}

async function measure({ arm, pauses, greet }: FewCallsJob): Promise<FewCalls> {
  const start = sharedClock()
  const startCaller = CALLERS[arm]
  if (!startCaller) throw new Error(`Unknown arm '${arm}'`)
  const caller = await startCaller(greet)
  const hasCpu = !arm.startsWith('process') || lacksProcessTree() === undefined
  await delay(SETTLE_MS)
  const paused: Paused[] = []
  for (const { pauseMs, count } of pauses) paused.push(await measurePaused(caller, pauseMs, count, hasCpu))
  await caller.close()
  return { start, marks: caller.marks, paused }
}

await answerParent(measure)
