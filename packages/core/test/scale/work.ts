// How much the bus does for something, as a count: how often each function and each block of its code has run, which V8 counts
// exactly. Unlike a time it is the same on every machine, and a loop over all frontends shows in it at once.
import { Session, type Profiler } from 'node:inspector/promises'

const ITS_CODE = /\/packages\/(core|frontend|protocol)\/(src|dist)\//u

// From the beginning: in code that has been compiled before, V8 counts no blocks.
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

export async function countWork(run: () => Promise<unknown>): Promise<number> {
  await session.post('Profiler.takePreciseCoverage')
  await run()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  return sum(result.filter(({ url }) => ITS_CODE.test(url)).map(workOf))
}

const workOf = ({ functions }: Profiler.ScriptCoverage): number =>
  sum(functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)
