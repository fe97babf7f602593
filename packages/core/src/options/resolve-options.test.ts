import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { writeProject } from '../../test/support/project.js'
import { resolveOptions } from './resolve-options.js'
import type { BusOptions } from './types.js'

const module = new URL(import.meta.url)

const resolveBus = (options: Partial<BusOptions>) => resolveOptions({ core: module, ...options })

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
      const unlisted = inSandbox({ ...kind, ...process, secrets: { T: { value: hidden, hosts } } })
      const secret = (secrets: unknown): object => inSandbox({ ...kind, ...process, net: hosts, secrets })
      return [
        [`${name}: a newline`, secret({ T: { value: `${hidden}\n`, hosts } }), 'secrets.T.value must be a string of'],
        [`${name}: text`, secret({ T: hidden }), 'secrets.T must be an object'],
        [`${name}: all is text`, secret(hidden), 'secrets must be an object'],
        [`${name}: hosts`, secret({ T: { value: 'x', hosts: hidden } }), 'secrets.T.hosts must be an array of hosts'],
        [`${name}: a host that "net" has not`, unlisted, 'must be hosts of "net"'],
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

test('a frontend has 10 s to load, and a call to it 30 s to answer, by default', async () => {
  const { frontends, calls } = await resolveBus({ frontends: { main: { module } } })
  expect(frontends[0]!.loadTimeout).toBe(10_000)
  expect(calls.timeout).toBe(30_000)
})

const dir = new URL('./', import.meta.url)
const main = { identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }

test('`isolation` and `capabilities` are named in errors by their places', async () => {
  const options = { dir, gates: 2, hookTimeout: 60_000, legacyMessages: true }
  const { pattern, isolation, acl } = await resolveBus({ isolation: options, capabilities: [main] })
  expect(pattern).toBe('isolation')
  expect(isolation).toEqual({ ...options, from: 'createBus: isolation.dir' })
  expect(acl.capabilities).toEqual([{ value: main, from: 'createBus: capabilities[0]', isOption: true }])
})

test('a program without a project has a name and options of its plugins', async () => {
  const config = { productName: 'Notes', plugins: { files: { root: '/srv' } } }
  const { appInfo, plugins, acl } = await resolveBus({ config })
  expect(appInfo).toMatchObject({ productName: 'Notes', version: undefined })
  expect(plugins).toEqual(config.plugins)
  expect(acl.isTauriProject).toBe(false)
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
