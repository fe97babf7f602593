// Modules that the host passes by name to a script in QuickJS.
import { describe, expect, test } from 'vitest'
import type { ModuleSource, Sandbox } from '../../../src/index.js'
import { reuseBus } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const getBus = reuseBus({ supervision: { restart: 'temporary' } })
const sandboxes: [name: string, sandbox: Extract<Sandbox, object>][] = choose([
  ['a thread', { kind: 'quickjs' }],
  ['a process', { kind: 'quickjs', process: true }],
])

describe.each(sandboxes)('a script in %s', (_name, sandbox) => {
  const get = async (module: ModuleSource): Promise<unknown> => {
    const bus = await getBus()
    await bus.open('main', module, { sandbox })
    return bus.call('main', 'get')
  }
  const run = async (source: string, modules: Record<string, string>): Promise<unknown> =>
    (await getBus()).run(source, { sandbox, modules })

  test('imports modules by name, which import each other and the client', async () => {
    const modules = {
      'lib/greet.js': `import { mark } from './marks.js'\nimport upper from 'upper'\nexport const greet = name => upper(name) + mark`,
      'lib/marks.js': `export const mark = '!'`,
      upper: `import { getLabel } from '@sallyport/frontend'\nexport default text => getLabel() + ' ' + text.toUpperCase()`,
    }
    const source = `import { expose } from '@sallyport/frontend'
      import { greet } from './lib/greet.js'
      expose({ get: async () => [greet('a'), (await import('upper')).default('b')] })`
    expect(await get({ source, modules })).toEqual(['main A!', 'main B'])
  })

  test('imports modules in a cycle, each evaluated once', async () => {
    const modules = {
      'even.js': `import { odd } from './odd.js'\n(globalThis.seen ??= []).push('even')\nexport const even = n => n === 0 || odd(n - 1)`,
      'odd.js': `import { even } from './even.js'\n(globalThis.seen ??= []).push('odd')\nexport const odd = n => n !== 0 && even(n - 1)`,
    }
    const source = `import { even } from './even.js'\nimport { odd } from './odd.js'\nsallyport.expose({ get: () => [even(4), odd(4), seen] })`
    expect(await get({ source, modules })).toEqual([true, false, ['odd', 'even']])
  })

  test('imports them in the code of a run', async () => {
    expect(
      await run(`const { add } = await import('./math.js'); return add(1, 2)`, {
        'math.js': 'export const add = (a, b) => a + b',
      }),
    ).toBe(3)
  })

  test('what cannot be imported fails', () =>
    rows([
      [
        `import './none.js'`,
        {},
        /^Frontend script main\.js.*Cannot import "none\.js": main\.js can import only @sallyport\/frontend, "a\.js"/,
      ],
      [`import './a.js'`, { 'a.js': `import 'b'` }, /Cannot import "b": main\.js can import only/],
      [
        `import './lib/a.js'`,
        { 'lib/a.js': `export const a = 1\n\n  let b c = 3` },
        /^Frontend script lib\/a\.js:3:9: syntax error: expecting ';'/,
      ],
      [`import { c } from './a.js'`, { 'a.js': 'export const b = 1' }, /Could not find export 'c' in module 'a\.js'/],
    ])(async (source, modules, message) => {
      await (await getBus()).closeFrontend('main').catch(() => {})
      await expect(get({ source, name: 'main.js', modules: { 'a.js': '', ...modules } })).rejects.toMatchObject({
        reason: 'LoadFailed',
        message: expect.stringMatching(message) as string,
      })
    }))

  test('an error of a module has its place', async () => {
    const modules = { 'a.js': `export const fail = () => {\n  null.x\n}` }
    const error: unknown = await run(`(await import('./a.js')).fail()`, modules).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason: 'CommandFailed' })
    expect(String((error as Error & { cause: Error }).cause.stack)).toContain('a.js:2:3')
  })
})

test('wrong modules are refused', () =>
  rows<[unknown, string]>([
    [{ '../a.js': '' }, 'modules.../a.js must be a name of a module'],
    [{ './a.js': '' }, 'modules../a.js must be a name of a module'],
    [{ '/a.js': '' }, 'modules./a.js must be a name of a module'],
    [{ 'a.js': 1 }, 'modules.a.js must be a string: got 1'],
    [{ a: 'x'.repeat(2 ** 24), b: 'y' }, 'modules must be at most 16777216 characters in all'],
    [JSON.parse('{"__proto__":""}'), 'modules must be without the names __proto__, prototype, constructor'],
    [{ constructor: '' }, 'modules must be without the names'],
    ['a', 'modules must be an object'],
  ])(async (modules, text) => {
    const bus = await getBus()
    await expect(bus.run('', { modules: modules as Record<string, string> })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text) as string,
    })
  }))

test('other sandboxes load no modules by name', async () => {
  for (const sandbox of ['permission', 'process'] as const)
    await expect((await getBus()).run('', { sandbox, modules: {} })).rejects.toThrow(
      `bus.run: modules cannot be loaded by sandbox "${sandbox}". Use "quickjs", or files in a directory`,
    )
})
