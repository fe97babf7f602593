// Every cure of a call is tried, as those of options are in options.test.ts.
import { invoke } from '@sallyport/frontend'
import { createBus, type Bus } from '@sallyport/core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { core, evaluate, type Row, toModule, tryCure } from '../../support/cures.js'

describe('a cure of a call', () => {
  let bus: Bus
  const source = `expose({ greetAll: () => [1], several: () => invoke('greet', 'Ann', 2), single: () => invoke('greet', { name: 'Ann' }),
    wipe: () => invoke('wipe'), one: () => 1, lines: async function* () { yield 1 } })`

  beforeAll(async () => {
    bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(7) } })
    await bus.open('plugin', toModule(source), { allow: ['greet'] })
    await bus.open('silent', toModule(''))
    await bus.open('exports', { source: 'export default { one: () => 1 }', name: 'a.mjs' })
    await bus.connect('host-client')
    await bus.connect('host-client-2')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  const any = () => bus as unknown as Record<string, (...args: unknown[]) => unknown>
  const inHost = (label: string) => ({ bus, label, name: 'greet', args: { name: 'Ann' } })
  const COMMAND = /Call a command with a client: (await \(await bus\.connect\(label\)\)\.invoke\(name, args\))/
  const runCommand = (label: string) => (code: string) => evaluate(`(async () => ${code})()`, inHost(label))

  const calls: Row[] = [
    ['invoke of the bus', () => any()['invoke']!('greet', {}), COMMAND, runCommand('a')],
    ['a command in call', () => any()['call']!('greet', { name: 'Ann' }), COMMAND, runCommand('b')],
    [
      'send of the bus',
      () => any()['send']!('plugin', {}),
      /Call a function of a frontend with (bus\.call\(label, name, args\))/,
      code => evaluate(code, { bus, label: 'plugin', name: 'one', args: {} }),
    ],
    [
      'close of one frontend',
      () => any()['close']!('silent'),
      /Use (bus\.closeFrontend\(label\)) for one frontend/,
      async code => {
        await bus.open('to-close', toModule(''))
        await evaluate(code, { bus, label: 'to-close' })
      },
    ],
    [
      'a misspelt option of closeFrontend',
      () => bus.closeFrontend('plugin', { timeuot: 1 } as object),
      /did you mean "(\w+)"/,
      name => bus.closeFrontend('host-client-2', { [name]: 1 }),
    ],
    [
      'a misspelt option of a call',
      () => bus.call('plugin', 'one', {}, { timeuot: 60_000 } as object),
      /did you mean "(\w+)"/,
      name => bus.call('plugin', 'one', {}, { [name]: 60_000 }),
    ],
    [
      'a misspelt event of the bus',
      () => bus.on('falt' as never, () => {}),
      /did you mean "(\w+)"/,
      name => bus.on(name as never, () => {}),
    ],
    [
      'a misspelt function',
      () => bus.call('plugin', 'gretAll'),
      /did you mean "(\w+)"/,
      name => bus.call('plugin', name),
    ],
    [
      'an unknown function',
      () => bus.call('plugin', 'somethingElse'),
      /it exposes "greetAll", .*"(one)"/,
      name => bus.call('plugin', name),
    ],
    ['a misspelt frontend', () => bus.call('plugn', 'one'), /did you mean "(\w+)"/, label => bus.call(label, 'one')],
    [
      'a misspelt command',
      () => bus.run('return invoke("gret", { name: "Ann" })', { allow: '*' as never }),
      /did you mean "(\w+)"/,
      name => bus.run(`return invoke("${name}", { name: "Ann" })`, { allow: ['greet'] }),
    ],
    [
      'a frontend without functions',
      () => bus.call('silent', 'one'),
      /Call `(expose\(\{ … \}\))` of @sallyport\/frontend in its module/,
      async code => {
        await bus.open('spoken', toModule(code.replace('…', 'one: () => 1')))
        await bus.call('spoken', 'one')
      },
    ],
    [
      'a frontend with exports',
      () => bus.call('exports', 'one'),
      /call `(expose\(\{ … \}\))` of @sallyport\/frontend instead/,
      async code => {
        await bus.open('exposed', toModule(code.replace('…', 'one: () => 1')))
        await bus.call('exposed', 'one')
      },
    ],
    [
      'arguments by position',
      () => bus.call('plugin', 'several'),
      /Pass all arguments as (members of one object)/,
      () => bus.call('plugin', 'single'),
    ],
    [
      'a call that is not allowed',
      () => bus.call('plugin', 'wipe'),
      /add "(\w+)" to the option "(allow)"/,
      async (name, option) => {
        await bus.open('allowed', toModule(source), { [option]: [name] })
        await bus.call('allowed', 'wipe')
      },
    ],
    [
      'a label twice, closed',
      () => bus.open('plugin', toModule('')),
      /Close it with (\w+)/,
      async name => {
        await bus.open('twice', toModule(''))
        await any()[name]!('twice')
        await bus.open('twice', toModule(''))
      },
    ],
    [
      'a label twice, reloaded',
      () => bus.open('plugin', toModule('')),
      /or restart it with (\w+)/,
      name => any()[name]!('plugin'),
    ],
    [
      'a connection twice',
      () => bus.connect('host-client'),
      /already exists\. Close it with (\w+)$/,
      async name => {
        await any()[name]!('host-client')
        await bus.connect('host-client')
      },
    ],
    [
      'one value in the place of a stream',
      async () => {
        for await (const _ of bus.stream('plugin', 'one'));
      },
      /one value instead of a stream\. Call it with (\w+)/,
      name => any()[name]!('plugin', 'one'),
    ],
    [
      'a stream in the place of one value',
      () => bus.call('plugin', 'lines'),
      /Read it with (stream) instead of call/,
      async () => {
        for await (const _ of bus.stream('plugin', 'lines'));
      },
    ],
    [
      'the client of a frontend in the host',
      () => invoke('greet', { name: 'Ann' }),
      /In the host, call `(await bus\.connect\(label\))` and use the client/,
      code => evaluate(`(async () => (${code}).invoke('greet', { name: 'Ann' }))()`, inHost('c')),
    ],
  ]

  test('lets the call succeed', () => rows(calls)(tryCure))
})
