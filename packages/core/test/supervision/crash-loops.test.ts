// What tells a crash loop from code that crashes now and then: whether a call has succeeded before.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { endCore, eventually, supervise } from '../support/supervised.js'
import { fixture } from '../support/start.js'

const supervision = { intensity: 1, period: 600_000, delay: { min: 1, max: 1 } }
const CRASHES = `await listen('x', () => {}); await invoke('add').catch(() => {}); throw new Error('boom')`
const IN_A_ROW = 'in a row before it had served anything'

test('code has served something once a call of it or to it has succeeded', () =>
  rows([
    ['only listens, and has a call refused', CRASHES, IN_A_ROW],
    ['calls', `await invoke('greet', { name: 'x' }); ${CRASHES}`, 'within 600000 ms'],
    [
      'is called',
      `expose({ greet: () => 'hi', end: () => setTimeout(() => { throw new Error('boom') }) })`,
      'within 600000 ms',
    ],
  ])(async (_what, code, when) => {
    const { bus, events } = await supervise({ core: fixture('core.mjs') })
    const source = `import { expose, invoke, listen } from '@sallyport/frontend'; ${code}`
    await bus.open('it', { source }, { allow: ['greet', 'core:event:default'], supervision, loaded: false })
    const hasFailed = (): boolean => events.at(-1)?.name === 'failed'
    if (code.startsWith('expose'))
      for (let i = 0; i < 2; i++) {
        await eventually(() => bus.call('it', 'greet'))
        await bus.call('it', 'end').catch(() => {})
      }
    await expect.poll(hasFailed).toBe(true)
    const message = `frontend "it" failed 2 times ${when} and will not be restarted. Last error: boom`
    expect(events.at(-1)).toMatchObject({ error: { message } })
  }))

test('core has served something, though the code for which it has is gone', async () => {
  const { bus, events } = await supervise({ supervision })
  for (let i = 0; i < 2; i++) {
    await eventually(() => bus.run('return invoke("which")', { allow: ['which'] }))
    await bus.run('return invoke("end", {})', { allow: ['end'] }).catch(() => {})
  }
  await expect.poll(() => events.at(-1)?.name).toBe('failed')
  expect(events.at(-1)).toMatchObject({ error: { message: expect.stringContaining('within 600000 ms') as string } })
})

test('frontends end with a core that has gone for good, which is why', async () => {
  const { bus } = await supervise({
    core: { module: fixture('supervision/reborn.mjs'), supervision: { restart: 'temporary' } },
    frontends: { main: { module: { source: 'setInterval(() => {}, 60_000)' } } },
  })
  await endCore(await bus.connect('tests', { allow: '*' }))
  const message = 'core exited and will not be restarted: core crashed'
  await expect.poll(() => bus.frontends()).toMatchObject([{ label: 'main', state: 'failed', error: { message } }])
})
