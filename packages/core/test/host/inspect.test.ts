// The option `inspect`, the variable SALLYPORT_INSPECT and `bus.openInspector` in a program that has not installed the inspector.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const program = (options: string, then: string): string => `
  import { createBus, defineCore } from ${JSON.stringify(import.meta.resolve('@sallyport/core'))}
  let bus
  try {
    bus = await createBus({ core: defineCore({}), log: false, ${options} })
    console.log('running')
    ${then}
  } catch (error) {
    console.log(error.reason, error.message)
  }
  await bus?.close()`
const run = async (options: string, variable?: string, then = ''): Promise<{ stdout: string; stderr: string }> => {
  const env = { ...process.env, SALLYPORT_INSPECT: variable }
  const args = ['--import', fixture('host/without-inspector.mjs').href, '--input-type=module', '-e']
  return promisify(execFile)(process.execPath, [...args, program(options, then)], {
    env,
    cwd: fileURLToPath(new URL('.', fixture('core.mjs'))),
  })
}

const MISSING =
  'InvalidParams The inspector needs the package @sallyport/inspector, which could not be loaded. Run: npm install @sallyport/inspector\n'

test('an inspector that is not installed fails the start with the command to install it, unless the variable asked for it', async () => {
  expect(await run('inspect: true')).toEqual({ stdout: MISSING, stderr: '' })
  const stderr = MISSING.replace('InvalidParams', 'Inspector:')
  expect(await run('', '1')).toEqual({ stdout: 'running\n', stderr })
})

test('bus.openInspector rejects with the same error, and the bus continues', async () => {
  const then = `await bus.openInspector().catch(error => console.log(error.reason, error.message, error.cause.code))
    console.log((await bus.stats()).core.state)`
  const { stdout } = await run('', undefined, then)
  expect(stdout).toBe(`running\n${MISSING.trim()} ERR_MODULE_NOT_FOUND\nrunning\n`)
})

test('opens none otherwise', () =>
  rows([
    ['', undefined],
    ['', ''],
    ['', '0'],
    ['inspect: false', '1'],
  ])(async (options, variable) => {
    expect(await run(options, variable)).toEqual({ stdout: 'running\n', stderr: '' })
  }))

test('rejects other values', async () => {
  expect((await run('', 'yes')).stdout).toBe(
    'InvalidParams The variable SALLYPORT_INSPECT was "yes". Set it to 1 or 0\n',
  )
  expect((await run('inspect: 1')).stdout).toMatch(/^InvalidParams createBus: .*inspect/)
})
