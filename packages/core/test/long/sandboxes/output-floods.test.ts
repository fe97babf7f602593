// Frontends that print faster than the host takes it: the rest is dropped, counted and reported, and the host keeps its memory.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { next, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const MiB = 2 ** 20
const loops = {
  'console.log in a loop': `for (let n = 0; n < 100_000; n++) console.log('x'.repeat(1000))`,
  'console.log between ticks': `
    for (let n = 0; n < 100; n++) {
      for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000))
      await new Promise(setImmediate)
    }`,
  'large writes in a loop': `for (let n = 0; n < 200; n++) process.stdout.write(Buffer.alloc(${MiB}, 'xxxxxxxxx\\n'))`,
  'large writes between ticks': `
    for (let n = 0; n < 200; n++) {
      process.stdout.write(Buffer.alloc(${MiB}, 'xxxxxxxxx\\n'))
      await new Promise(setImmediate)
    }`,
}

test('output is dropped beyond what the host has taken', () =>
  rows(loops)(async loop => {
    const dropped: { characters: number; label: string }[] = []
    const log = pino(
      { level: 'warn' },
      {
        write(text: string) {
          const line = JSON.parse(text) as { msg: string; characters: number; label: string }
          if (line.msg.startsWith('Output dropped: ')) dropped.push(line)
        },
      },
    )
    const printed: number[] = []
    const bus = await start({ log })
    const over = next(bus, 'over')
    const source = `import { emit } from '@sallyport/frontend'\n${loop}\nawait emit('over')`
    const onStdio = (text: string): void => void (text.startsWith('\nOutput lost: ') || printed.push(text.length))
    await bus.open('main', { source, name: 'flood.mjs' }, { onStdio })
    await over
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
    const total = loop.includes('Buffer') ? 200 * MiB : (loop.includes('await') ? 200_000 : 100_000) * 1001
    await expect.poll(() => sum(printed) + sum(dropped.map(({ characters }) => characters))).toBe(total)
    expect(dropped[0]).toMatchObject({ label: 'main' })
  }))

test('onStdio has a mark with what a run has lost', async () => {
  const bus = await start({ log: false })
  let printed = 0
  let lost = 0
  const onStdio = (text: string): void => {
    const [, characters] = /^\nOutput lost: (\d+) characters/.exec(text) ?? []
    if (characters === undefined) printed += text.length
    else lost += Number(characters)
  }
  await bus.run(`for (let n = 0; n < 100_000; n++) console.log('x'.repeat(99))`, {
    sandbox: 'permission',
    onStdio,
    timeout: false,
  })
  await expect.poll(() => printed + lost).toBe(100_000 * 100)
  expect(lost).toBeGreaterThan(0)
})

test('all that a process has printed arrives, if it is closed with a time', async () => {
  const bus = await start()
  const over = next(bus, 'over')
  const source = `
    import { emit } from '@sallyport/frontend'
    for (let n = 0; n < 20; n++) process.stdout.write('x'.repeat(${MiB}))
    await emit('over')`
  let printed = ''
  const onStdio = (text: string): void => void (printed += text)
  await bus.open('main', { source }, { sandbox: 'process', allow: '*', onStdio })
  await over
  await bus.closeFrontend('main', { timeout: 60_000 })
  expect(printed === 'x'.repeat(20 * MiB)).toBe(true)
})
