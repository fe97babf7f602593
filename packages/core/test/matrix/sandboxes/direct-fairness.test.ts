// One process that floods core's thread, or that of its gate, with frames, and ten others.
import { expect, test } from 'vitest'
import { openProcesses, PROCESS } from '../../support/shared-relay.js'
import { isolation, start } from '../../support/start.js'

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
