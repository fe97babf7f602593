// Frames of a process that pass by its relay cost the relay's thread no time.
import { expect, test } from 'vitest'
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
