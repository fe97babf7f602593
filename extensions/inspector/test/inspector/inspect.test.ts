// The option `inspect` and the variable SALLYPORT_INSPECT open an inspector.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'

const run = (program: string, variable?: string) =>
  promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, SALLYPORT_INSPECT: variable },
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })

const getProgram = (options: string): string => `
  import { createBus, defineCore } from '@sallyport/core'
  const bus = await createBus({ core: defineCore({}), log: false, ${options} })
  console.log('running')
  await bus.close()`

test('prints its URL to standard error, and ends with the bus', () =>
  rows([
    ['inspect: true', undefined],
    ['', '1'],
  ])(async (options, variable) => {
    const { stdout, stderr } = await run(getProgram(options), variable)
    expect(stdout).toBe('running\n')
    expect(stderr).toMatch(/^Inspector: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/)
  }))

test('createBus rejects if `startTimeout` is over before the inspector is open, and nothing else does', async () => {
  const { stdout } = await run(`
    import { createBus } from '@sallyport/core'
    const core = new URL('data:text/javascript,await new Promise(() => {})')
    await createBus({ core, log: false, inspect: true, startTimeout: 1 }).catch(({ reason }) => console.log(reason))`)
  expect(stdout).toBe('Timeout\n')
})
