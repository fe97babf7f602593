// Frames of a process that pass by its relay cost the relay's thread no time.
import { expect, test, describe } from 'vitest'
import { CAN_DENY_NET } from '../../../../process/src/permission-model/module-code.js'
import { openProcesses, PROCESS } from '../../support/shared-relay.js'
import { isolation, start } from '../../support/start.js'

const patterns = [
  ['brownfield', {}],
  ['isolation', isolation('judge')],
] as const
/** In isolation, the thread of a gate must be allowed to connect. */
const direct = patterns.filter(([name]) => process.platform !== 'win32' && (name === 'brownfield' || !CAN_DENY_NET))

test.each(direct)('calls do not pass through the thread of the relay: %s', async (_name, app) => {
  const bus = await start(app)
  const source = `
    import { expose, invoke } from '@sallyport/frontend'
    expose({ calls: async () => { for (let i = 0; i < 3000; i++) await invoke('add', { a: i, b: 1 }) } })
  `
  const { relays } = await openProcesses(bus, ['other'])
  await bus.open('main', { source, name: 'it.js' }, { sandbox: PROCESS, allow: '*' })
  await bus.call('main', 'calls')
  // In isolation there is also the gate of the other frontend, which is idle.
  const measureMs = async (): Promise<number> => {
    const before = relays.map(({ performance }) => performance.eventLoopUtilization())
    await bus.call('main', 'calls')
    return Math.max(...relays.map((relay, index) => relay.performance.eventLoopUtilization(before[index]).active))
  }
  // To forward these calls takes more than 50 ms of a core. A thread that waits for a core counts as active, so the least of several counts.
  await expect.poll(measureMs).toBeLessThan(10)
})

// One process that floods core's thread, or that of its gate, with frames, and ten others.
describe('a process that floods', () => {
  const flood = `
  import { expose, invoke } from '@sallyport/frontend'
  let answers = 0
  const text = 'x'.repeat(100)
  const next = () => invoke('greet', { name: text }).then(() => (answers++, next()), next)
  expose({ floods: () => { for (let i = 0; i < 2000; i++) next() }, answers: () => answers })
`

  test.each([
    ['brownfield', {}],
    ['isolation', isolation('judge')],
  ] as const)('ten processes are answered while another one floods: %s', { timeout: 120_000 }, async (_name, app) => {
    const bus = await start(app)
    const labels = Array.from({ length: 10 }, (_, index) => `p${index}`)
    const { pids } = await openProcesses(bus, labels)
    await bus.open('flood', { source: flood, name: 'flood.js' }, { sandbox: PROCESS, allow: '*' })
    await bus.call('flood', 'floods')
    const before = await bus.call<number>('flood', 'answers')
    const callAll = async (label: string, index: number): Promise<void> => {
      for (let call = 0; call < 30; call++) expect(await bus.call(label, 'pid')).toBe(pids[index])
    }
    await Promise.all(labels.map(callAll))
    // The flood went on, and did not starve either.
    expect(await bus.call('flood', 'answers')).toBeGreaterThan(before)
  })
})
