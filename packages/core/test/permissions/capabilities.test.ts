// The access rules of both patterns, for real frontends.
import { describe, expect, test } from 'vitest'
import type { Bus, BusOptions, Capability } from '../../src/index.js'
import { fixture, reuseBus, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

type Pattern = 'brownfield' | 'isolation'

const secure = (use: Pattern, capabilities: Capability[] | undefined): Partial<BusOptions> => ({
  ...(use === 'isolation' && { isolation: {} }),
  ...(capabilities && { capabilities }),
})

const bus = (use: Pattern, capabilities: Capability[] | undefined, more: Partial<BusOptions> = {}): Promise<Bus> =>
  start({ ...secure(use, capabilities), ...more })

const add = { a: 1, b: 2 }
const missing =
  'add "greet" to the option "allow" of the frontend "main", or add "allow-greet" to the permissions of a capability whose windows match "main"'

describe.each(choose(['brownfield', 'isolation'] as const))('%s', use => {
  test('a denial names the remedy, is reported to the host, and the frontend keeps running', async () => {
    const denying = await bus(use, [{ identifier: 'a', windows: ['main'], permissions: ['allow-add'] }])
    const denials: unknown[] = []
    denying.on('denied', event => denials.push(event))
    const client = await denying.connect('main')
    await expect(client.invoke('greet', { name: 'x' })).rejects.toMatchObject({
      message: `Command greet not allowed by ACL: ${missing}`,
    })
    expect(await client.invoke('add', add)).toBe(3)
    await denying.addCapability({ identifier: 'no', windows: ['main'], permissions: ['deny-greet'] })
    await expect(client.invoke('greet', { name: 'x' })).rejects.toMatchObject({ reason: 'Denied' })
    await expect
      .poll(() => denials)
      .toEqual([
        {
          label: 'main',
          command: 'greet',
          hint: missing,
        },
        {
          label: 'main',
          command: 'greet',
          hint: '"deny-greet" is among the permissions of a capability for "main"',
        },
      ])
  })

  test('deny overrides allow for the labels of its capability', async () => {
    const both = await bus(use, [
      { identifier: 'all', windows: ['*'], permissions: ['allow-add', 'allow-fails-with-value'] },
      { identifier: 'not-here', windows: ['editor-*'], permissions: ['deny-add', 'core:event:deny-emit'] },
    ])
    const [main, editor] = [await both.connect('main'), await both.connect('editor-1')]
    expect(await main.invoke('add', add)).toBe(3)
    await expect(editor.invoke('add', add)).rejects.toMatchObject({ reason: 'Denied' })
    await expect(editor.invoke('plugin:event|emit', { event: 'x' })).rejects.toMatchObject({ reason: 'Denied' })
    await expect(editor.invoke('fails_with_value')).rejects.toMatchObject({ reason: 'CommandFailed' })
    await editor.listen('x', () => {})
  })

  // Each command is allowed for the labels that one glob matches.
  const commands = { main: 'add', '*': 'greet', 'plugin-?': 'echo', 'plugin-[ab]': 'seen', '{a,b}': 'slow' }
  const getBus = reuseBus(
    secure(
      use,
      Object.entries(commands).map(([glob, command]) => ({
        identifier: command,
        windows: [glob],
        permissions: [`allow-${command}`],
      })),
    ),
  )

  const globs = [
    ['plugin-[ab]', 'plugin-b', true],
    ['plugin-[ab]', 'plugin-c', false],
    ['main', 'main', true],
    ['main', 'main2', false],
    ['*', 'any/thing:at-all', true],
    ['plugin-?', 'plugin-a', true],
    ['plugin-?', 'plugin-ab', false],
    ['{a,b}', 'a', false],
  ] as const

  // Core matches globs in the same way for both patterns: one match and one mismatch show that isolation has them too.
  test('windows match labels as globs do', () =>
    rows(globs)(async (glob, label, matches) => {
      const client = await (await getBus()).connect(label)
      const call = client.invoke(commands[glob], { ...add, name: 'x' })
      if (matches) await call
      else await expect(call).rejects.toMatchObject({ reason: 'Denied' })
    }))

  test('plugin commands always need a capability', async () => {
    const core = fixture('permissions/plugins.mjs')
    const closed = await (await bus(use, undefined, { core })).connect('main')
    await expect(closed.invoke('plugin:files|read_text')).rejects.toMatchObject({ reason: 'Denied' })
    const permissions = ['files:allow-read-text']
    const open = await (await bus(use, [{ identifier: 'a', windows: ['main'], permissions }], { core })).connect('main')
    expect(await open.invoke('plugin:files|read_text')).toBe('text, set up')
  })

  test('an unknown permission fails the start, with the nearest one', async () => {
    const starting = bus(use, [{ identifier: 'main', windows: ['*'], permissions: ['allow-gret'] }])
    await expect(starting).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(starting).rejects.toThrow(
      'permissions[0]: capability "main": unknown permission allow-gret for app manifest (did you mean "allow-greet"?)',
    )
  })
})
