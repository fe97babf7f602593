// What libraries expect of Node, and a sandbox has without giving access: descriptors of the output, and inert values.
import * as fs from 'node:fs'
import * as os from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus } from '../../../src/index.js'
import { fixture } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

describe.each(
  choose(
    [
      ['permission', 'permission'],
      ['process', 'process'],
      ['process without a wall', { kind: 'process', wall: 'none' }],
    ] as const,
    0,
    1,
  ),
)('in the sandbox %s', (name, sandbox) => {
  const output = { stdout: '', stderr: '' }
  let bus: Bus
  const call = (name: string, args?: object): Promise<unknown> => bus.call('main', name, args)
  beforeAll(async () => {
    const onStdio = (text: string, { stream }: { stream: 'stdout' | 'stderr' }) => void (output[stream] += text)
    const main = { module: fixture('sandboxes/libraries.mjs'), sandbox, onStdio }
    bus = await createBus({ core: fixture('core.mjs'), log: false, frontends: { main } })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('descriptors 1 and 2 are the output of the frontend', () =>
    rows([
      'writeSync text',
      'writeSync bytes',
      'writeSync a part',
      'writeSync with options',
      'write text',
      'write bytes',
      'promisified write',
      'writevSync',
      'writev',
      'writeFileSync',
      'writeFile',
      'appendFileSync',
      'a stream',
      'pino',
      'pino.destination',
    ])(async name => {
      for (const [index, stream] of (['stdout', 'stderr'] as const).entries()) {
        const text = `<${name} to ${stream}>`
        const result = await call('write', { name, fd: index + 1, text })
        expect([null, text.length]).toContain(result)
        // A logger flushes later.
        await expect.poll(() => output[stream]).toContain(text)
        expect(output[stream].split(text)).toHaveLength(2)
      }
    }))

  test('closing descriptors 1 and 2 has no effect, and a wrong argument of a write throws', async () => {
    expect(await call('close')).toEqual([null, null])
    await call('write', { name: 'writeSync text', fd: 1, text: '<after the close>' })
    await expect.poll(() => output.stdout).toContain('<after the close>')
    // A wrong argument throws.
    const [type, range] = ['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE']
    expect(await call('mistakes')).toEqual([type, range, range, type])
  })

  test('values of Node that tell of the host are inert: files, handles, constants, a report and parentPort', async () => {
    expect(await call('exist')).toEqual({ outside: [false, false, false], own: [true, true, true], invalid: false })
    expect(await call('active')).toEqual([[], []])
    expect(await call('constants')).toEqual({ fs: fs.constants, os: JSON.parse(JSON.stringify(os.constants)) })
    // A diagnostic report has the version of the C library, and nothing else.
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    const { glibcVersionRuntime } = header
    const expected = glibcVersionRuntime === undefined ? {} : { glibcVersionRuntime }
    expect(await call('report')).toEqual({ header: expected, sharedObjects: [] })
    // That of a thread accepts messages and listeners, and has no other end.
    expect(await call('port')).toBe(name === 'permission' ? 'inert' : 'null')
  })
})
