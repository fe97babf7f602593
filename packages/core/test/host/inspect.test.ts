// The option `inspect` and the variable SALLYPORT_INSPECT open an inspector.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../support/start.js'

const program = (options: string): string => `
  import { createBus, defineCore } from ${JSON.stringify(import.meta.resolve('@sallyport/core'))}
  try {
    const bus = await createBus({ core: defineCore({}), log: false, ${options} })
    console.log('running')
    await bus.close()
  } catch (error) {
    console.log(error.reason, error.message)
  }`
const run = async (options: string, variable?: string): Promise<{ stdout: string; stderr: string }> => {
  const env = { ...process.env, SALLYPORT_INSPECT: variable }
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', program(options)], {
    env,
    cwd: fileURLToPath(new URL('.', fixture('core.mjs'))),
  })
}

const URL_LINE = /^Inspector: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/

test.each([
  ['inspect: true', undefined],
  ['', '1'],
])(
  'opens an inspector, prints its URL to standard error, and ends with the bus: { %s }, %s',
  async (options, variable) => {
    const { stdout, stderr } = await run(options, variable)
    expect(stdout).toBe('running\n')
    expect(stderr).toMatch(URL_LINE)
  },
)

test.each([
  ['', undefined],
  ['', ''],
  ['', '0'],
  ['inspect: false', '1'],
])('opens none otherwise: { %s }, %s', async (options, variable) => {
  expect((await run(options, variable)).stderr).toBe('')
})

test('rejects other values', async () => {
  expect((await run('', 'yes')).stdout).toBe(
    'InvalidParams The variable SALLYPORT_INSPECT was "yes". Set it to 1 or 0\n',
  )
  expect((await run('inspect: 1')).stdout).toMatch(/^InvalidParams createBus: .*inspect/)
})
