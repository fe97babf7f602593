// The unmodified guests of Tauri's plugins `os` and `log`.
import { EOL, hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { log, os } from '../../src/index.js'
import { environments, startGuests } from './start.js'
import { choose, rows } from '../../../../scripts/testing.js'

describe.each(choose(environments))('in a sandbox %s %o', (sandbox, more) => {
  test('every function of os answers', async () => {
    const { call } = await startGuests({ plugins: [os()], allow: ['os:default', 'os:allow-hostname'], sandbox, more })
    const names = ['eol', 'type', 'platform', 'family', 'arch', 'exeExtension', 'hostname', 'version', 'locale']
    const answers = await Promise.all(names.map(async name => (await call('os', name)).value))
    const isWindows = process.platform === 'win32'
    const type = { darwin: 'macos', win32: 'windows' }[String(process.platform)] ?? 'linux'
    const arch = { x64: 'x86_64', arm64: 'aarch64' }[String(process.arch)]
    expect(answers).toEqual([
      ...[EOL, type, type, isWindows ? 'windows' : 'unix', arch, isWindows ? 'exe' : '', hostname()],
      ...[expect.stringMatching(/^\d/), answers.at(-1)],
    ])
  })

  test('lines reach the listeners of the same frontend', async () => {
    const { bus, call } = await startGuests({ plugins: [log()], allow: ['log:default'], sandbox, more })
    await bus.call('main', 'watchLog')
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'])
      expect(await call('log', level, `a ${level}`)).toEqual({ value: null })
    expect(await bus.call('main', 'seen')).toEqual([
      { level: 1, message: 'a trace' },
      { level: 2, message: 'a debug' },
      { level: 3, message: 'a info' },
      { level: 4, message: 'a warn' },
      { level: 5, message: 'a error' },
    ])
  })
})

test('the host name needs a permission of its own', async () => {
  const { call } = await startGuests({ plugins: [os()], allow: ['os:default'] })
  expect((await call('os', 'hostname')).error).toMatch(/hostname not allowed/)
})

test('lines reach no other frontend', async () => {
  const { bus, call } = await startGuests({ plugins: [log()], allow: ['log:default'], labels: ['main', 'other'] })
  for (const label of ['main', 'other']) await bus.call(label, 'watchLog')
  await call('log', 'info', 'secret')
  await call('bus', 'invoke', 'plugin:log|log', { level: 3, message: 'x'.repeat(20_000) })
  expect(await bus.call('other', 'seen')).toEqual([])
  expect(await bus.call('main', 'seen')).toEqual([
    { level: 3, message: 'secret' },
    { level: 3, message: `${'x'.repeat(16_384)}…` },
  ])
})

test('lines beyond the limit of a second are dropped', async () => {
  const { bus, call } = await startGuests({ plugins: [log({ maxPerSecond: 5 })], allow: ['log:default'] })
  await bus.call('main', 'watchLog')
  const lines = await Promise.all(Array.from({ length: 50 }, (_, i) => call('log', 'info', String(i))))
  expect(lines.every(({ value }) => value === null)).toBe(true)
  const seen = (await bus.call('main', 'seen')) as unknown[]
  expect(seen.length).toBeGreaterThanOrEqual(5)
  expect(seen.length).toBeLessThan(50)
})

test('a wrong line is refused', () =>
  rows([
    [{ level: 0, message: '' }, 'level'],
    [{ level: 6, message: '' }, 'level'],
    [{ level: '3', message: '' }, 'level'],
    [{ level: 1.5, message: '' }, 'level'],
    [{ message: '' }, 'level'],
    [{ level: 3 }, 'message'],
    [{ level: 3, message: {} }, 'message'],
    [{ level: 3, message: '', line: 'x' }, 'line'],
    [{ level: 3, message: '', file: [] }, 'file'],
    [{ level: 3, message: '', keyValues: [] }, 'keyValues'],
  ])(async (line, name) => {
    const { call } = await startGuests({ plugins: [log()], allow: ['log:default'] })
    expect((await call('bus', 'invoke', 'plugin:log|log', line)).error).toMatch(`invalid args \`${name}\``)
  }))
