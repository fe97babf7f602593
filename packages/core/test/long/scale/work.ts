// Counts work: how often each function and block of the bus ran, which V8 counts exactly. Unlike a time, the count is equal on all
// machines, and shows any loop over all frontends.
import { Session, type Profiler } from 'node:inspector/promises'

const ITS_CODE = /\/packages\/(core|frontend|protocol)\/(src|dist)\//u

// Started first: V8 counts no blocks in code that was compiled before.
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

export async function countWork(run: () => Promise<unknown>): Promise<number> {
  await session.post('Profiler.takePreciseCoverage')
  await run()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  return sum(result.filter(({ url }) => ITS_CODE.test(url)).map(getWork))
}

const getWork = ({ functions }: Profiler.ScriptCoverage): number =>
  sum(functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)
