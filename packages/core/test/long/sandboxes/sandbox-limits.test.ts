// Limits of a frontend's memory and output, and the warning about a frontend without a sandbox.
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { Bus, FrontendOptions } from '../../../src/index.js'
import { isolation, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

const client = import.meta.resolve('@sallyport/frontend')

/** Starts a bus and records level, label and text of each log line. */
async function startLogging(app = {}): Promise<{ bus: Bus; lines: [number, string, string][] }> {
  const lines: [number, string, string][] = []
  const write = (line: string): void => {
    const { level, label, msg } = JSON.parse(line) as { level: number; label: string; msg: string }
    lines.push([level, label, msg])
  }
  return { bus: await start({ ...app, log: pino({ level: 'trace' }, { write }) }), lines }
}

describe('memory', () => {
  const greedy = at(`import { expose } from ${JSON.stringify(client)}
    expose({ eat() { const all = []; for (;;) all.push(new Array(1e4).fill(all.length)) } })`)

  test.each(
    choose<[string, object]>([
      ['brownfield', {}],
      ['isolation', isolation()],
    ]),
  )('ends only the frontend that exceeds its limit, and settles calls to it: %s', async (_name, app) => {
    const { bus } = await startLogging(app)
    const other = await bus.connect('tests')
    const fault = new Promise(resolve => bus.on('fault', resolve))
    await bus.open('greedy', greedy, {
      sandbox: { kind: 'permission', resourceLimits: { maxOldGenerationSizeMb: 30 } },
    })
    await expect(bus.call('greedy', 'eat')).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(await fault).toMatchObject({ label: 'greedy', error: { message: 'frontend "greedy" ran out of memory' } })
    expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
  })

  test('is limited to 2 GiB of heap by V8 by default', async () => {
    const { bus } = await startLogging()
    const module = at(`import { emit } from ${JSON.stringify(client)}
      import { resourceLimits } from 'node:worker_threads'
      await emit('limits', resourceLimits.maxOldGenerationSizeMb)`)
    const limit = new Promise(resolve => void bus.once('limits', ({ payload }) => resolve(payload)))
    await bus.open('main', module)
    expect(await limit).toBe(2048)
  })
})

describe('the output of a frontend', () => {
  const flood = at(`for (let i = 0; i < 5000; i++) console.log('line ' + i)`)

  test('is logged up to a hundred lines per second, and then counted', async () => {
    const { bus, lines } = await startLogging()
    await bus.open('loud', flood)
    const getWritten = (): string[] => lines.filter(([, , text]) => text.startsWith('line')).map(([, , text]) => text)
    // Each line with a count stands for itself too. The count is logged after the second.
    const countOf = (text: string): number => 1 + Number(/^line \d+, and (\d+) more$/.exec(text)?.[1] ?? 0)
    await expect.poll(() => getWritten().reduce((sum, text) => sum + countOf(text), 0)).toBe(5000)
    expect(getWritten()[99]).toBe('line 99')
    expect(getWritten().length).toBeLessThan(2000)
  })

  test('is truncated for long lines', async () => {
    const { bus, lines } = await startLogging()
    await bus.open('long', at(`process.stdout.write('x'.repeat(300_000) + '\\nnext\\n')`))
    await expect.poll(() => lines.filter(([level]) => level === 30).length).toBe(2)
    const texts = lines.filter(([level]) => level === 30).map(([, , text]) => text)
    expect(texts).toEqual([expect.stringMatching(/^x{8192}$/), 'next'])
  })

  test('goes to onStdio unchanged if the host sets it', () =>
    rows(['permission', 'none'] as const)(async sandbox => {
      const { bus, lines } = await startLogging()
      const output = { stdout: '', stderr: '' }
      await bus.open('main', at(`console.log('a'.repeat(1e5)); console.error('b')`), {
        sandbox,
        onStdio(text, { label, stream }) {
          expect(label).toBe('main')
          output[stream] += text
        },
      })
      await expect.poll(() => output).toEqual({ stdout: `${'a'.repeat(1e5)}\n`, stderr: 'b\n' })
      expect(lines.filter(([level, , text]) => level === 30 || text.startsWith('b'))).toEqual([])
    }))
})

test('warns about a frontend without a sandbox, once for each label', async () => {
  const { bus, lines } = await startLogging()
  const open = async (label: string, options: FrontendOptions): Promise<void> => {
    await bus.open(label, at(''), options)
    await bus.closeFrontend(label)
  }
  await open('usual', {})
  await open('trusted', { sandbox: 'none' })
  await open('trusted', { sandbox: 'none' })
  await open('another', { sandbox: 'none' })
  const text = 'Frontend runs without a sandbox: its code has all permissions of the host'
  const warnings = lines.filter(line => line[2] === text)
  expect(warnings).toEqual([
    [40, 'trusted', text],
    [40, 'another', text],
  ])
})
