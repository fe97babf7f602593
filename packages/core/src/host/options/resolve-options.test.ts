import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { writeProject } from '../../../test/support/project.js'
import { resolveOptions } from './resolve-options.js'
import type { BusOptions } from './types.js'

const module = new URL(import.meta.url)

const resolveBus = (options: Partial<BusOptions>) => resolveOptions({ core: module, ...options })

test('maxRecordAge is refused with the reason', async () => {
  const options = { maxRecordAge: 30_000 } as object
  const app: BusOptions['app'] = { security: { pattern: { use: 'isolation', options } } }
  await expect(resolveBus({ app })).rejects.toThrow(
    'createBus: app.security.pattern.options.maxRecordAge must be left out: ' +
      'a record goes straight from the gate to core, and has no age',
  )
})

test('a refusal repeats no secret, wherever it was put', () => {
  const hidden = '8f3c2a5b-hidden'
  const login = Object.assign(new URL('https://host.example/path'), { password: hidden, search: `token=${hidden}` })
  const hosts = ['api.example']
  const inSandbox = (sandbox: object): object => ({ frontends: { main: { module, sandbox } } })
  const all: readonly [name: string, options: object, error: string][] = [
    ['a key as text', { runs: { key: hidden } }, 'createBus: runs.key must be a secret key of 32 bytes'],
    ['a key in the place of its options', { runs: hidden }, 'createBus: runs must be an object'],
    ['a login in an address', { startTimeout: login }, 'got "https://host.example/path"'],
    ['a URL in the place of the options', login, 'got "https://host.example/path"'],
    ...['quickjs', 'permission', 'process', 'process in a wall'].flatMap(name => {
      const kind = name.startsWith('process')
        ? { kind: 'process', wall: name === 'process' ? 'none' : 'required' }
        : { kind: name }
      const process = name === 'quickjs' ? { process: true } : {}
      const secret = (secrets: unknown): object => inSandbox({ ...kind, ...process, net: hosts, secrets })
      return [
        [`${name}: a newline`, secret({ T: { value: `${hidden}\n`, hosts } }), 'secrets.T.value must be a string of'],
        [`${name}: text`, secret({ T: hidden }), 'secrets.T must be an object'],
        [`${name}: all is text`, secret(hidden), 'secrets must be an object'],
        [`${name}: hosts`, secret({ T: { value: 'x', hosts: hidden } }), 'secrets.T.hosts must be an array of hosts'],
        [`${name}: the value as a name`, secret({ [hidden]: { value: 'x', hosts } }), 'must be the name of'],
      ] as [string, object, string][]
    }),
  ]
  return rows(all)(async (_name, options, text) => {
    const wrong = options instanceof URL ? options : { core: module, ...options }
    const error = await resolveOptions(wrong as unknown as BusOptions).then(() => 'no error', String)
    expect(error).toContain(text)
    expect(error).not.toContain(hidden)
  })
})

const dir = new URL('./', import.meta.url)
const main = { identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }

test("`isolation` and `capabilities` mean what Tauri's form means", async () => {
  const options = { dir, gates: 2, hookTimeout: 60_000, legacyMessages: true }
  const short = await resolveBus({ isolation: options, capabilities: [main] })
  const pattern = { use: 'isolation', options } as const
  const nested = await resolveBus({ app: { security: { pattern, capabilities: [main] } } })
  expect(short.pattern).toBe('isolation')
  expect(short.isolation).toEqual({ ...options, from: 'createBus: isolation.dir' })
  expect(nested.pattern).toBe('isolation')
  expect(nested.isolation).toEqual({ ...options, from: 'createBus: app.security.pattern.options.dir' })
  expect(short.acl.capabilities).toEqual([{ value: main, from: 'createBus: capabilities[0]', isOption: true }])
  expect(nested.acl.capabilities).toMatchObject([{ value: main, from: 'createBus: app.security.capabilities[0]' }])
})

test('without `isolation` there is no gate, and `{}` is a gate without a hook', async () => {
  expect(await resolveBus({})).toMatchObject({ pattern: 'brownfield' })
  const { pattern, isolation } = await resolveBus({ isolation: {} })
  expect(pattern).toBe('isolation')
  expect(isolation).toMatchObject({ dir: undefined, gates: 'each', legacyMessages: false })
  expect(isolation?.hookTimeout).toBe(1000)
})

test('refuses a wrong number of gates', () =>
  rows([0, 65, 1.5, 'all', null])(async gates => {
    const text = 'createBus: isolation.gates must be "each" or a whole number, from 1 to 64'
    await expect(resolveBus({ isolation: { gates: gates as number } })).rejects.toThrow(text)
  }))

test('refuses both forms of one setting', () =>
  rows<[Partial<BusOptions>, string]>([
    [
      { isolation: { dir }, app: { security: { pattern: { use: 'brownfield' } } } },
      'createBus: isolation and app.security.pattern were both given',
    ],
    [
      { capabilities: [main], app: { security: { capabilities: [] } } },
      'createBus: capabilities and app.security.capabilities were both given',
    ],
  ])(async (options, text) =>
    expect(resolveBus(options)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text),
    }),
  ))

test('accepts one setting in each form', async () => {
  const app: BusOptions['app'] = { security: { capabilities: [main] } }
  const { pattern, acl } = await resolveBus({ isolation: {}, app })
  expect(pattern).toBe('isolation')
  expect(acl.capabilities).toHaveLength(1)
})

test('`isolation` and `capabilities` take precedence over those of a project', async () => {
  const config = writeProject({
    'tauri.conf.json': { app: { security: { pattern: { use: 'isolation', options: { dir: 'app' } } } } },
    'capabilities/other.json': { identifier: 'other', permissions: [] },
  })
  const { isolation, acl } = await resolveBus({ config, isolation: { dir }, capabilities: [main, 'other'] })
  expect(isolation.dir).toEqual(dir)
  expect(acl.capabilities.map(({ from }) => from)).toEqual([
    'createBus: capabilities[0]',
    join(config, 'capabilities/other.json'),
  ])
})
