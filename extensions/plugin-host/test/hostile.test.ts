// Plugins, answers and programs that do what they should not, over real workers.
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { getLog } from '@sallyport/core/internal'
import { describe, expect, test, vi } from 'vitest'
import type { GrantAnswer } from '../src/ask.js'
import type { PluginInfo } from '../src/options.js'
import type { Plugins } from '../src/plugins.js'
import { Place } from './start.js'

const place = new Place()
const get = (plugins: Plugins, label: string): PluginInfo => plugins.list().find(each => each.label === label)!
const METHODS = ['enable', 'disable', 'reload'] as const

describe('a permission that does not exist', () => {
  test('makes the plugin invalid before anyone is asked, with its place and near names', async () => {
    place.add('x', { permissions: ['greet', { permission: 'fs:allow-raed-file', allow: [] }] })
    let questions = 0
    const plugins = await place.open({ ask: () => ++questions > 0 })
    const { state, error } = get(plugins, 'x')
    expect([state, questions]).toEqual(['invalid', 0])
    expect(error).toMatchObject({
      code: 'InvalidPlugin',
      file: join(place.root, 'plugins/x/package.json'),
      key: 'sallyport.permissions.1',
      message: expect.stringContaining('did you mean "fs:allow-read-file"?'),
    })
    place.add('x', { permissions: ['greet'] })
    await plugins.enable('x')
    expect([await place.bus.call('x', 'call', { command: 'greet' }), questions]).toEqual(['Hello', 1])
  })

  test('is a mistake of the program among its own names', async () => {
    place.add('x', { permissions: ['talk'] })
    let questions = 0
    const plugins = await place.open({ ask: () => ++questions > 0, permissions: { talk: ['gret'] } })
    expect(get(plugins, 'x')).toMatchObject({ state: 'failed', error: { reason: 'InvalidParams' } })
    expect(questions).toBe(0)
  })
})

test('a mistake of a manifest puts nothing hidden on a terminal', () => {
  const hidden = '\u001b]0;owned\u0007\u001b[2J\u009b1A\u202e\u2028'
  return place.rows<[string, string]>(
    [
      ['a key', JSON.stringify({ name: 'z', sallyport: { [hidden]: 1 } })],
      ['a key of settings', JSON.stringify({ name: 'z', sallyport: { settings: { [hidden]: { ['__proto__']: 1 } } } })],
      ['a value', JSON.stringify({ name: 'z', sallyport: { main: hidden } })],
      ['no JSON', `{"name": ${hidden}`],
      ['a directory', '{}'],
    ],
    async (what, manifest) => {
      place.write(what === 'a directory' ? hidden.replaceAll('/', '') : 'z', { 'package.json': manifest })
      const texts: string[] = []
      const warn = vi.spyOn(getLog(place.bus), 'warn').mockImplementation(text => void texts.push(String(text)))
      const plugins = await place.open().finally(() => warn.mockRestore())
      texts.push(...plugins.list().map(({ error }) => error!.message))
      expect(texts).toHaveLength(2)
      expect(texts.join(' ')).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u)
    },
  )
})

test('an answer with more than it may have is refused', () =>
  place.rows<[string, GrantAnswer]>(
    [
      ['more members than an entry has', { permissions: [{ permission: 'fs:own', allow: [], note: 'x' } as never] }],
      ['a network that is not true', { permissions: [], net: 'yes' as never }],
    ],
    async (_what, answer) => {
      place.add('x', { permissions: [{ permission: 'fs:own', allow: [] }], net: true })
      const plugins = await place.open({ ask: () => answer })
      expect(get(plugins, 'x')).toMatchObject({ state: 'failed', error: { code: 'InvalidAnswer' } })
      expect(existsSync(join(place.root, 'grants.json'))).toBe(false)
    },
  ))

test('a plugin whose files change during the question is refused, and asked about again', async () => {
  const directory = place.add('x')
  const reasons: string[] = []
  const ask = ({ reason }: { reason: string }): boolean => {
    if (reasons.push(reason) === 1) writeFileSync(join(directory, 'index.js'), 'globalThis.changed = true')
    return true
  }
  const plugins = await place.open({ ask })
  const error = { code: 'Refused', message: expect.stringContaining('its files changed during the question') }
  expect(get(plugins, 'x')).toMatchObject({ state: 'refused', error })
  expect([existsSync(join(place.root, 'grants.json')), place.bus.frontends()]).toEqual([false, []])
  await plugins.enable('x')
  expect([reasons, get(plugins, 'x').state]).toEqual([['first', 'first'], 'running'])
})

test('two hundred calls of enable, disable and reload at once end in the last state, for each of three plugins', async () => {
  const labels = ['a', 'b', 'c']
  for (const label of labels) place.add(label)
  const plugins = await place.open({ enable: false })
  let seed = 7
  const choose = <T>(values: readonly T[]): T => values[(seed = (seed * 16_807) % 2_147_483_647) % values.length]!
  const calls = Array.from({ length: 200 }, () => [choose(labels), choose(METHODS)] as const)
  const results = await Promise.allSettled(calls.map(([label, call]) => plugins[call](label)))
  const codes = results.map(result =>
    result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code,
  )
  expect([...new Set(codes)].toSorted()).toEqual(['Cancelled', 'done'])
  for (const label of labels) {
    const last = calls.findLast(([called]) => called === label)![1]
    expect([label, get(plugins, label).state]).toEqual([label, last === 'disable' ? 'disabled' : 'running'])
  }
})

test('nothing starts after close', async () => {
  place.add('x')
  const plugins = await place.open()
  await plugins.close()
  await expect(plugins.enable('x')).rejects.toMatchObject({ code: 'Cancelled' })
  await expect(plugins.reload('x')).rejects.toMatchObject({ code: 'Cancelled' })
  expect([get(plugins, 'x').state, place.bus.frontends()]).toEqual(['disabled', []])
})

test('a question that is never answered does not keep a program from ending', async () => {
  place.add('x')
  const program = join(import.meta.dirname, 'fixtures/never-answers.mjs')
  const ended = await promisify(execFile)(process.execPath, [program, join(place.root, 'plugins')])
  expect(ended.stdout).toBe('closed\n')
})
