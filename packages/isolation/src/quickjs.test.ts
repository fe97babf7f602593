import { afterEach, expect, test, vi } from 'vitest'
import { loadScript, prepare } from './quickjs.js'

const engine = { memory: 32, stack: 256, time: 1000 }
const stops: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const stop of stops.splice(0)) stop()
})

async function load(text: string, time = engine.time) {
  const printed: string[] = []
  const module = { name: 'main.js', text, directory: '/' }
  const script = await loadScript('file:///main.js', module, undefined, {
    codec: 'json',
    engine: { ...engine, time },
  })
  stops.push(() => script.stop())
  const functions = { getLabel: () => 'main', getData: () => undefined } as never
  const thread = { print: (_stream: string, line: string) => void printed.push(line), onUncaught: () => {} } as never
  return { script, printed, run: () => script.run(functions, thread, () => {}) }
}

test('a script runs', async () => {
  const { run, printed } = await load('console.log("runs")')
  await run()
  expect(printed).toEqual(['runs\n'])
})

test('a script that is stopped while it waits for its VM never runs', async () => {
  await prepare()
  const { script, run, printed } = await load('console.log("runs")')
  void run()
  script.stop()
  // Another script gets its VM later.
  const later = await load('')
  await later.run()
  expect(printed).toEqual([])
})

test('a script that is too long is refused', async () => {
  await expect(load(' '.repeat(16 * 2 ** 20 + 1))).rejects.toThrow('it is longer than 16777216 characters')
})

test('time in which the machine runs other programs is not that of a script', async () => {
  const readCpu = (): NodeJS.CpuUsage => ({ user: 0, system: 0 })
  vi.spyOn(process, 'cpuUsage').mockImplementation(readCpu)
  if ('threadCpuUsage' in process)
    vi.spyOn(process as { threadCpuUsage(): unknown }, 'threadCpuUsage').mockImplementation(readCpu)
  const loop = 'const end = Date.now() + 200; while (Date.now() < end); console.log("done")'
  const { run, printed } = await load(loop, 50)
  await run()
  expect(printed).toEqual(['done\n'])
})

test('a module that never pauses ends with the limit, not with an interruption', async () => {
  const endless = await load('for (;;);', 50)
  await expect(endless.run()).rejects.toMatchObject({ data: { limit: 'time', max: 50 } })
})
