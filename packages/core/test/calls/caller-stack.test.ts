// The stack of a rejected call leads to its caller, in the host and in frontends, while `NODE_ENV` is not `production` in the host.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Client, CommandError, createBus, defineCore } from '../../src/index.js'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

type Stacks = Record<string, string>

async function getStacks(environment: string): Promise<Stacks> {
  const env = { ...process.env, NODE_ENV: environment }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(fixture('calls/caller-stack/host.mjs'))],
    {
      env,
    },
  )
  return JSON.parse(stdout) as Stacks
}

const CALLER = 'at async saveStack (file:'
const IN_FRONTEND = /at async stackOfCall \(file:.*main\.mjs:/

describe('in development', () => {
  let stacks: Stacks
  beforeAll(async () => {
    stacks = await getStacks('development')
  })

  test('every call rejects with the reason and the frame of its caller', () =>
    rows({
      invoke: 'CommandFailed',
      unknown: 'MethodNotFound',
      timeout: 'Timeout',
      stream: 'CommandFailed',
      call: 'CommandFailed',
      absent: 'Disconnected',
      listen: 'Denied',
      capability: 'InvalidParams',
      createBus: 'InvalidParams',
      disconnected: 'Disconnected',
    })((reason, name) => {
      expect(stacks[name]).toMatch(new RegExp(`^\\w+Error \\[${reason}\\]: `))
      expect(stacks[name]).toContain(CALLER)
    }))

  test('a call that fails immediately, or that need not be awaited, has the frame of its caller', () => {
    expect(stacks['abort']).toMatch(/^\w+Error \[Cancelled\]: .*\n {4}at (?:async )?file:.*host\.mjs:\d+:\d+\n/)
    expect(stacks['abort']).toContain('at saveStack (file:')
    expect(stacks['once']).toMatch(
      /^TimeoutError \[Timeout\]: .*\n {4}at file:.*host\.mjs:\d+:\d+\n {4}at saveStack \(file:/,
    )
  })

  test('a call of a frontend has the frame of its caller', () =>
    rows(['trusted', 'worker', 'process'])(label => expect(stacks[label]).toMatch(IN_FRONTEND)))

  test('no stack has frames of this library or of Node', () => {
    expect(Object.values(stacks).join('\n')).not.toMatch(/dist\/bundle|node:/)
  })
})

test('no thread captures stacks in production', async () => {
  const stacks = await getStacks('production')
  for (const name of ['invoke', 'timeout', 'call', 'disconnected']) expect(stacks[name]).not.toContain(CALLER)
  for (const label of ['trusted', 'worker', 'process']) expect(stacks[label]).not.toMatch(IN_FRONTEND)
})

test('each error keeps its reason and data in a program that makes other stacks', async () => {
  const commands = {
    fails: (): never => {
      throw new CommandError('E_NO', 'no')
    },
  }
  const bus = await createBus({ core: defineCore({ commands }), log: false })
  const client: Client = await bus.connect('main', { allow: '*' })
  const getError = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error)
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    await rows({
      'of places': () => (Error.prepareStackTrace = (_error, places) => places),
      'of nothing': () => (Error.prepareStackTrace = () => undefined),
      'without a limit': () => Reflect.deleteProperty(Error, 'stackTraceLimit'),
    })(async change => {
      change()
      expect(await getError(client.invoke('absent'))).toMatchObject({ reason: 'MethodNotFound' })
      expect(await getError(client.invoke('fails'))).toMatchObject({
        commandCode: 'E_NO',
        message: expect.stringMatching(/\bno$/) as string,
      })
      const error = { reason: 'CommandFailed', name: 'TypeError', message: 'odd' }
      expect(await bus.run('throw new TypeError("odd")', { report: true })).toMatchObject({ error })
      Object.assign(Error, { prepareStackTrace, stackTraceLimit })
    })
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit })
    await bus.close({ timeout: 0 })
  }
})
