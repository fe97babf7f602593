// Mistakes of people and models who know other libraries: each error says what to write instead.
import { command, createBus, defineCore } from '@sallyport/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../../scripts/testing.js'
import type { Bus } from '@sallyport/core'

const commands = {
  greet: ({ name }: { name: string }) => `Hello, ${name}!`,
  wipe: () => 'gone',
  typo: () => ({} as any).a.b,
}
const core = defineCore({ commands })
const directory = new URL('.', import.meta.url)
const toModule = (source: string) => ({ source, name: 'plugin.mjs', directory })
const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }

describe('a mistake in the host', () => {
  let bus: Bus

  beforeAll(async () => {
    bus = await createBus({ core, log: false })
    const source = `import { expose, invoke } from '@sallyport/frontend'
      expose({ run: () => invoke('wipe'), several: () => invoke('greet', 'Ann', 2) })`
    await bus.open('plugin', toModule(source), { allow: ['greet'] })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  const open = (options: object) => (bus.open as (...args: unknown[]) => Promise<void>)('x', toModule(''), options)
  const create = (options: object) => createBus({ core, log: false, ...options })
  const any = () => bus as unknown as Record<string, (...args: unknown[]) => unknown>
  const define = command as unknown as (...args: unknown[]) => unknown

  const mistakes: [what: string, make: () => unknown, remedy: string][] = [
    [
      'invoke of the bus',
      () => any()['invoke']!('greet', {}),
      'Call a command with a client: await (await bus.connect(',
    ],
    [
      'a misspelt option of close',
      () => bus.close({ timeuot: 1 } as object),
      'bus.close: unknown option "timeuot" (did you mean "timeout"?)',
    ],
    [
      'a misspelt option of closeFrontend',
      () => bus.closeFrontend('plugin', { timeuot: 1 } as object),
      'bus.closeFrontend: unknown option "timeuot" (did you mean "timeout"?)',
    ],
    ['send of the bus', () => any()['send']!('plugin', {}), 'Call a function of a frontend with bus.call(label, name'],
    ['a command in bus.call', () => any()['call']!('greet', { name: 'Ann' }), 'Call a command with a client: await (a'],
    ['a relative path', () => createBus({ core: './core.mjs' }), 'as in new URL("./core.mjs", import.meta.url)'],
    ['a package', () => bus.open('x', 'marked'), 'as in import.meta.resolve("marked")'],
    [
      'a wrong sandbox',
      () => open({ sandbox: 'worker' }),
      'must be "none", "permission", "process", "quickjs" or { kind',
    ],
    ['permissions of a frontend', () => open({ permissions: ['greet'] }), 'unknown option "permissions": use allow'],
    ['plugins of a bus', () => create({ plugins: {} }), 'unknown option "plugins": use frontends'],
    ['no allow', () => bus.call('plugin', 'run'), 'add "wipe" to the option "allow" of the frontend "plugin"'],
    ['positional arguments', () => bus.call('plugin', 'several'), 'Pass all arguments as members of one object'],
    [
      'a unit in a limit',
      () => bus.run('1', { limits: { memory: '128mb' as never } }),
      'memory must be a number of MiB: got "128mb"',
    ],
    ['a schema in the place of options', () => define(schema, () => 1), 'command({ args: schema }, handler)'],
    ['options behind the handler', () => define(() => 1, { args: schema }), 'the options come first: command({ args:'],
    [
      'a schema of another name',
      () => define({ schema }, () => 1),
      'unknown option "schema": use description, args, result, thread',
    ],
    ['a shape for a schema', () => define({ args: { name: String } }, () => 1), 'such as z.object({ … }) of zod'],
    [
      'no core',
      () => (createBus as (options: object) => unknown)({}),
      'core is missing, as in createBus({ core: defineCore({',
    ],
    ['true for an object', () => create({ isolation: true }), 'isolation must be an object, such as { dir: new URL('],
    [
      'memory of a thread',
      () => open({ sandbox: { kind: 'permission', memory: 64 } }),
      'with kind: "permission": use kind, read, net, secrets, resourceLimits, or another kind',
    ],
    ['a label twice', () => bus.open('plugin', toModule('')), 'Close it with closeFrontend, or restart it with reload'],
    [
      'an option of a function',
      () => bus.call('plugin', 'run', {}, { timout: 1 } as never),
      'function "run": unknown option "timout" (did you mean "timeout"?)',
    ],
    [
      'another form of a name',
      () => bus.on('deny' as never, () => {}),
      'no event "deny" of the bus itself (did you mean "denied"?)',
    ],
    [
      'a time that is too short',
      () => bus.run('for (;;);', { limits: { time: 1 } }),
      'or raise `time` of its sandbox or `limits.time` of its run, up to 5000',
    ],
    [
      'a memory that is too small',
      () => bus.run('for (const all = []; ; ) all.push(new Uint8Array(1e6))', { limits: { memory: 8 } }),
      '(limit: 8 MiB). Raise `memory` of its sandbox or `limits.memory` of its run',
    ],
    ['functions beside commands', () => create({ core: { greet: () => 1 } }), 'a command stands in commands: { … }'],
  ]
  test('has its place and its remedy in the error', () =>
    rows(mistakes)(async (_, make, remedy) => {
      await expect((async () => make())()).rejects.toThrow(remedy)
    }))
})

test('a file that is missing is not taken for another one with its extension', async () => {
  await expect(createBus({ core: new URL('nope.test.ts', import.meta.url) })).rejects.toThrow(/nope\.test\.ts$/)
})

test('a bus that was closed says so from each method', async () => {
  const bus = await createBus({ core, log: false })
  await bus.close()
  const calls = [
    () => bus.call('x', 'run'),
    () => bus.stream('x', 'run').next(),
    () => bus.emit('x'),
    () => bus.listen('x', () => {}),
    () => bus.open('x', toModule('')),
    () => bus.run('1'),
    () => bus.reload('x'),
    () => bus.connect('x'),
    () => bus.describe('x', {}),
    () => bus.openInspector(),
  ]
  for (const call of calls) await expect(call(), String(call)).rejects.toThrow(/^The bus was closed by bus.close\(\)$/)
})

describe('a mistake of a model in the code of bus.run', () => {
  let bus: Bus

  beforeAll(async () => {
    bus = await createBus({ core, log: false })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('rejects with what to do', async () =>
    rows([
      ["const fs = require('fs')", 'require is not defined. Use await import() for a module of the option "modules"'],
      ["import fs from 'fs'\nreturn 1", 'the code is the body of a function. Use await import() instead'],
      ["await import('node:fs')", 'A script has nothing of Node.js. Use a command, or sandbox: "process"'],
      ["await import('lodash')", 'or pass its code in "modules"'],
      ['return process.env.HOME', 'process is not defined. A script has nothing of Node.js'],
      ['export default () => 1', 'the code is the body of a function. Return a value instead'],
      ['module.exports = 1', 'Return a value from bus.run, or expose functions'],
      ["await fetch('https://example.com')", 'process: true, net: ["example.com"]'],
      ['const x: number = 1', 'For TypeScript, set language: "typescript"'],
      ['return invoke("typo")', 'command "typo" failed: Cannot read properties of undefined (reading \'b\')'],
      ['return (1', 'run.js:1:10: syntax error: Unexpected end of input'],
      ['function f() { await null }', 'await is only valid in an async function'],
      ['```js\nreturn 1\n```', 'The code begins with a fence of Markdown'],
      ['const x = {}\nx.missing()', 'x.missing is not a function'],
      ["return invoke('gret', { name: 'Ann' })", 'Command gret not found (did you mean "greet"?)'],
      ["return invoke('greet', 'Ann', 2)", 'Pass all arguments as members of one object'],
      ['const a = {}; a.a = a; return a', 'circular structure'],
    ])(async (code, remedy) => {
      await expect(bus.run(code, { allow: ['greet', 'typo'] })).rejects.toThrow(remedy)
    }))
})

describe.each(choose(['permission', 'process'] as const))('a mistake in a plugin, in %s', sandbox => {
  let bus: Bus

  beforeAll(async () => {
    bus = await createBus({ core, log: false })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('is reported with its place', () =>
    rows([
      ['imports core', "import '@sallyport/core'", "Import from '@sallyport/frontend' instead"],
      [
        'imports electron',
        "import 'electron'",
        'Instead of electron, use `invoke` and `expose` of @sallyport/frontend',
      ],
      ['imports comlink', "import 'comlink'", 'Instead of comlink, use `invoke` and `expose` of @sallyport/frontend'],
      ['uses require', "require('@sallyport/frontend')", 'Use import instead'],
      ['exports functions', 'export const run = () => 1', 'call `expose({ … })` of @sallyport/frontend instead'],
      [
        'listens to the port of a worker',
        "import { parentPort } from 'node:worker_threads'; parentPort?.on('message', () => {})",
        'Call `expose({ … })` of @sallyport/frontend in its module',
      ],
      [
        'exposes no object',
        "import { expose } from '@sallyport/frontend'; expose('run')",
        'as in expose({ run() {} })',
      ],
    ])(async (name, source, remedy) => {
      const label = name.replaceAll(' ', '-')
      const run = async () => {
        await bus.open(label, toModule(source), { sandbox, supervision: { restart: 'temporary' } })
        await bus.call(label, 'run')
      }
      await expect(run()).rejects.toThrow(remedy)
    }))
})
