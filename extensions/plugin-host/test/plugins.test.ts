// Plugins of a directory over real workers: discovery, grants, states, and what a hostile plugin tries.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { getLog, type openPlugin } from '@sallyport/core/internal'
import { describe, expect, test, vi } from 'vitest'
import type { GrantAnswer, GrantRequest } from '../src/ask.js'
import type { PluginFrontendOptions, PluginInfo } from '../src/options.js'
import type { Plugins } from '../src/plugins.js'
import type { PluginError } from '../src/errors.js'
import { INDEX, Place } from './start.js'
import { editJson, ODD_ANSWERS } from '../../../scripts/odd-inputs.js'
import { rows } from '../../../scripts/testing.js'

const place = new Place()
const get = (plugins: Plugins, label: string): PluginInfo => plugins.list().find(each => each.label === label)!
const readGrants = () => JSON.parse(readFileSync(join(place.root, 'grants.json'), 'utf8'))

describe('a directory of plugins', () => {
  test('is read, asked about once, and started with labels of npm names', async () => {
    place.add('@acme/x', { permissions: ['fs:own', 'greet'], settings: { size: 1, color: 'red' } })
    place.add('lodash.merge')
    place.write('own-file', { 'sallyport.json': { name: 'own-file', main: 'lib/main.mjs' }, 'lib/main.mjs': INDEX })
    place.write('none', { 'index.js': '' })
    const asked: GrantRequest[] = []
    const ask = (request: GrantRequest): boolean => (asked.push(request), true)
    const settings = { color: 'blue' }
    const plugins = await place.open({ ask, frontend: { sandbox: 'permission', settings } })
    expect(plugins.list().map(({ label, state }) => `${label} ${state}`)).toEqual([
      'acme-x running',
      'lodash-merge running',
      'none invalid',
      'own-file running',
    ])
    expect(asked.map(({ label, reason }) => `${label} ${reason}`).toSorted()).toEqual([
      'acme-x first',
      'lodash-merge first',
      'own-file first',
    ])
    expect(await place.bus.call('acme-x', 'settings')).toEqual({ size: 1, color: 'blue' })
    expect(await place.bus.call('acme-x', 'call', { command: 'greet' })).toBe('Hello')
    expect(await place.bus.call('acme-x', 'call', { command: 'secret' })).toMatch(/^Denied/)
    expect(await place.bus.call('lodash-merge', 'call', { command: 'greet' })).toMatch(/^Denied/)
    expect(await place.bus.call('acme-x', 'call', { command: 'plugin:fs|mkdir', args: { path: 'a' } })).toBe(null)
    expect(existsSync(join(place.root, 'own/acme-x/a'))).toBe(true)
    expect(readGrants().plugins[0]).toEqual({
      name: '@acme/x',
      version: '1.0.0',
      integrity: expect.stringMatching(/^sha512-.{86}==$/),
      permissions: ['fs:own', 'greet'],
      net: false,
      grantedAt: expect.any(String),
    })
    await plugins.close()

    asked.length = 0
    await place.open({ ask })
    expect(asked).toEqual([])
  })

  test('has the line that is missing in its manifest, or its grant, in each denial', () =>
    rows<[what: string, asks: string[], table: Record<string, string[]> | undefined, greet: string, secret: string]>([
      ['names of core', ['greet', 'fs:own'], undefined, 'grant "greet", for', 'add "secret" to sallyport'],
      ['a pattern', ['*', 'fs:own'], undefined, 'grant "*", for', 'grant "*", for'],
      [
        'names of the program',
        ['hello', 'files'],
        { hello: ['greet'], files: ['fs:own'], more: ['secret'] },
        'grant "hello", for',
        'add "more" to sallyport',
      ],
      [
        'a command that has no name of the program',
        ['hello', 'files'],
        { hello: ['greet'], files: ['fs:own'] },
        'grant "hello", for',
        'add "secret" to a name in the option "permissions" of openPlugins',
      ],
    ])(async (_, asks, permissions, greet, secret) => {
      place.add('x', { permissions: asks })
      const plugins = await place.open({
        ask: () => ({ permissions: asks.slice(1) }),
        permissions: permissions as never,
      })
      const call = (command: string): Promise<unknown> => place.bus.call('x', 'call', { command })
      expect(await call('greet')).toContain(`: ${greet}`)
      expect(await call('greet')).toContain('it asks in sallyport.permissions of x/package.json')
      expect(await call('secret')).toContain(`: ${secret}`)
      await plugins.close()
    }))

  test('can have a prefix, and names of the program for permissions', async () => {
    place.add('x', { permissions: ['hello'] })
    place.add('y', { permissions: ['hello', 'fs:own'] })
    const plugins = await place.open({ prefix: 'plugin-', permissions: { hello: ['greet'] } })
    expect(await place.bus.call('plugin-x', 'call', { command: 'greet' })).toBe('Hello')
    expect(get(plugins, 'plugin-y').error).toMatchObject({
      code: 'InvalidPlugin',
      file: join(place.root, 'plugins/y/package.json'),
      key: 'sallyport.permissions.1',
      message: expect.stringContaining('unknown permission "fs:own". This program has "hello"'),
    })
  })

  test('warns once of each mistake, and must exist', async () => {
    place.add('x', { main: 'none.js' })
    place.add('y', { permissions: ['gret'] })
    place.add('z')
    const warnings: string[] = []
    vi.spyOn(getLog(place.bus), 'warn').mockImplementation(text => void warnings.push(String(text)))
    await place.open()
    const file = (name: string): string =>
      `A plugin is invalid: ${join(place.root, 'plugins', name, 'package.json')}: sallyport.`
    // Those with fields are of links to packages of this repository.
    expect(warnings.filter(text => text !== '[object Object]').toSorted()).toEqual([
      `${file('x')}main: there is no file "none.js"`,
      expect.stringMatching(`^${file('y')}permissions.0: .*did you mean "greet"`),
    ])
    for (const name of ['none', 'x/index.js', 'plugins/x/index.js'])
      await expect(place.open({ directory: join(place.root, name) })).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringContaining('Create it, or name another one'),
      })
  })

  test('has all plugins but those that may not be read', async () => {
    place.add('x')
    chmodSync(place.root, 0o755)
    for (const name of ['@acme', 'y']) mkdirSync(join(place.root, 'plugins', name), { mode: 0 })
    const user = process.geteuid!()
    if (user === 0) process.seteuid!(65_534)
    const opening = place.open({ enable: false })
    const plugins = await opening.finally(() => process.seteuid!(user))
    const error = { code: 'InvalidPlugin', message: expect.stringContaining('not permitted to read it') }
    expect(plugins.list()).toMatchObject([
      { label: 'acme', state: 'invalid', error },
      { label: 'x', state: 'disabled' },
      { label: 'y', state: 'invalid', error },
    ])
  })

  test('can have one that is named as a package, too, and has its version in one form', async () => {
    const path = place.add('x', {}, {}, { version: 'v1.0.0+b' })
    const plugins = await place.open({ packages: [path, `${path}/`] })
    expect(plugins.list()).toMatchObject([{ label: 'x', version: '1.0.0+b', state: 'running' }])
  })

  test('can be a list of directories', async () => {
    const path = place.add('x')
    const plugins = await place.open({ directory: undefined as never, packages: [path] })
    expect(get(plugins, 'x').state).toBe('running')
    await expect(plugins.install('x@1.0.0')).rejects.toMatchObject({ reason: 'InvalidParams' })
  })
})

describe('a manifest', () => {
  const refusals: [string, object, string | undefined, RegExp][] = [
    ['prototype keys', { sallyport: JSON.parse('{"__proto__": {"main": "x"}}') }, '__proto__', /not allowed/],
    [
      'prototype keys in settings',
      { sallyport: { settings: JSON.parse('{"__proto__": 1}') } },
      '__proto__',
      /not allowed/,
    ],
    ['a constructor', { sallyport: { constructor: 'x' } }, 'sallyport.constructor', /not known/],
    ['an unknown key', { sallyport: { sandbox: 'none' } }, 'sallyport.sandbox', /not known: use main/],
    ['no key', {}, 'sallyport', /not a plugin/],
    ['a list as key', { sallyport: [] }, 'sallyport', /must be an object/],
    ['a version of no package', { version: 'new', sallyport: {} }, 'version', /must be a version/],
    ['a name of no package', { name: '../x', sallyport: {} }, 'name', /name that npm takes/],
    ['permissions of a wrong type', { sallyport: { permissions: [1] } }, 'sallyport.permissions.0', /permission/],
    [
      'permissions that would fill the file of grants',
      { sallyport: { permissions: [{ permission: 'fs:own', allow: ['x'.repeat(20_000)] }] } },
      'sallyport.permissions',
      /at most 16384 characters/,
    ],
    ['a net of a wrong type', { sallyport: { net: 'yes' } }, 'sallyport.net', /true or false/],
    ['an absolute path', { sallyport: { main: '/etc/hostname' } }, 'sallyport.main', /below the directory/],
    ['a path that leads out', { sallyport: { main: '../other/index.js' } }, 'sallyport.main', /leads out/],
    ['a link that leads out', { sallyport: { main: 'link.js' } }, 'sallyport.main', /leads out/],
    ['a directory as main', { sallyport: { main: 'lib' } }, 'sallyport.main', /no file "lib"/],
    ['an invalid range', { sallyport: { apiVersion: 'new' } }, 'sallyport.apiVersion', /range/],
    ['a range without the version', { sallyport: { apiVersion: '^3.0.0' } }, 'sallyport.apiVersion', /needs \^3.0.0/],
  ]
  test('with a mistake is refused, with file and key', () =>
    place.rows(refusals, async (_what, content, key, message) => {
      place.add('other')
      const path = place.write('bad', {
        'package.json': { name: 'bad', version: '1.0.0', ...content },
        'lib/index.js': '',
        'index.js': '',
      })
      symlinkSync(join(place.root, 'plugins/other/index.js'), join(path, 'link.js'))
      const plugins = await place.open({ apiVersion: '2.1.0', enable: false })
      const bad = plugins.list().find(({ directory }) => directory === path)!
      expect(bad.error).toMatchObject({ code: 'InvalidPlugin', key, message: expect.stringMatching(message) })
      expect(bad.error).toMatchObject({ file: join(path, 'package.json') })
      await expect(plugins.enable(bad.label)).rejects.toMatchObject({ code: expect.stringMatching(/^Invalid/) })
      expect(get(plugins, 'other').state).toBe('disabled')
    }))

  test('with a name that npm, Node, Windows or the bus gives a meaning is refused', async () => {
    const scoped = ['node_modules', 'favicon.ico', 'con', 'nul.js', 'lpt1.a.b', 'x.', '..']
    const names = [
      ...scoped,
      ...scoped.map(name => `@acme/${name}`),
      ...scoped.map(name => `@${name}/x`),
      'fs',
      'url',
      '.x',
    ]
    names.push('host', 'core', 'run-1', 'prototype', 'constructor')
    names.forEach((name, index) => place.add(`plugin-${index}`, {}, {}, { name }))
    place.add('lib', {}, {}, { name: 'node_modules-x' })
    const plugins = await place.open({ enable: false })
    const accepted = plugins.list().filter(({ error }) => (error as PluginError | undefined)?.key !== 'name')
    expect(accepted.map(({ name }) => name)).toEqual(['node_modules-x'])
  })

  test('that is no object is refused', () =>
    place.rows(['{', 'null', '[]', '[['.repeat(100_000)], async text => {
      place.write('bad', { 'package.json': text })
      const plugins = await place.open()
      expect(plugins.list()).toMatchObject([{ state: 'invalid', error: { code: 'InvalidPlugin' } }])
    }))
})

test('no plugin runs beside code that no grant covers', () =>
  place.rows(['node_modules', '@acme/node_modules', 'package.json'], async name => {
    place.add('@acme/x')
    const fake = 'export const [expose, getData, invoke] = [() => { throw new Error("fake") }]'
    const manifest = { name: 'y', type: 'module', main: 'index.js' }
    if (name === 'package.json') place.write('', { [name]: manifest })
    else place.write(`${name}/@sallyport/frontend`, { 'package.json': manifest, 'index.js': fake })
    const plugins = await place.open()
    const file = join(place.root, 'plugins', name)
    expect(plugins.list()).toMatchObject([{ state: 'invalid', error: { code: 'InvalidPlugin', file } }])
    rmSync(file, { recursive: true })
    await plugins.enable('acme-x')
    expect(await place.bus.call('acme-x', 'ping')).toBe('pong')
  }))

describe('the content', () => {
  test('with a link that leads out is refused', () =>
    place.rows(
      [
        [
          'a link out of the directory',
          (path: string) => symlinkSync('/etc', join(path, 'etc')),
          /etc: the link leads out/,
        ],
        ['a dangling link', (path: string) => symlinkSync('none', join(path, 'lost')), /lost: the link leads out/],
      ],
      async (_what, change, message) => {
        const path = place.add('x')
        change(path)
        const plugins = await place.open()
        expect(get(plugins, 'x')).toMatchObject({
          state: 'invalid',
          error: { code: 'InvalidPlugin', message: expect.stringMatching(message) },
        })
      },
    ))

  test('that was changed is asked about again, and what is new is named', async () => {
    const path = place.add('x', { permissions: ['greet'] })
    const asked: GrantRequest[] = []
    let answer: GrantAnswer = true
    const ask = (request: GrantRequest): GrantAnswer => (asked.push(request), answer)
    const plugins = await place.open({ ask })
    writeFileSync(join(path, 'index.js'), `${INDEX}\n// changed`)
    answer = false
    await expect(plugins.reload('x')).rejects.toMatchObject({ code: 'Refused' })
    expect(get(plugins, 'x')).toMatchObject({ state: 'refused', error: { code: 'Refused' } })
    await expect(place.bus.call('x', 'ping')).rejects.toMatchObject({ reason: 'Disconnected' })

    place.add('x', { permissions: ['greet', 'secret'], net: true }, {}, { version: '1.1.0' })
    answer = { permissions: ['greet'] }
    await plugins.reload('x')
    expect(asked.map(({ reason, added }) => [reason, added])).toEqual([
      ['first', { permissions: ['greet'], net: false }],
      ['changed', { permissions: [], net: false }],
      ['update', { permissions: ['secret'], net: true }],
    ])
    expect(asked[2]!.previous).toMatchObject({ version: '1.0.0', permissions: ['greet'] })
    expect(get(plugins, 'x').granted).toEqual({ permissions: ['greet'], net: false })
    expect(await place.bus.call('x', 'call', { command: 'secret' })).toMatch(/^Denied/)
  })

  test('that is the same is asked about for a manifest with a rights that were edited into the grants', async () => {
    place.add('x', { permissions: ['greet'] })
    await (await place.open()).close()
    const grants = readGrants()
    grants.plugins[0].permissions.push('secret')
    writeFileSync(join(place.root, 'grants.json'), JSON.stringify(grants))
    const plugins = await place.open({ ask: () => false })
    expect(get(plugins, 'x').granted).toEqual({ permissions: ['greet'], net: false })
  })
})

test('the network is the part of the options of the host that was granted, and permissions are those that were', async () => {
  const [hosts, secrets] = [['api.github.com'], { T: { value: 'token', hosts: ['api.github.com'] } }]
  type Opened = Parameters<typeof openPlugin>
  const of = place.bus.constructor as unknown as { openPlugin(...opened: Opened): Promise<void> }
  const open = vi.spyOn(of, 'openPlugin').mockResolvedValue(undefined)
  const getOptions = async (net: boolean, sandbox: NonNullable<PluginFrontendOptions['sandbox']>) => {
    open.mockClear()
    place.add('x', { permissions: ['greet', 'secret'], net: true })
    const ask = () => ({ permissions: ['greet'], net })
    const plugins = await place.open({ ask, grants: undefined as never, frontend: { allow: ['fs:own'], sandbox } })
    await plugins.close()
    const [, , , , options] = open.mock.calls[0]!
    expect(options!.allow).toEqual(['fs:own', 'greet'])
    return options!.sandbox as { net?: unknown; secrets?: unknown }
  }
  try {
    for (const kind of ['process', 'permission'] as const) {
      expect(await getOptions(true, kind)).toMatchObject({ net: true })
      expect((await getOptions(false, kind)).net).toBeUndefined()
      expect(await getOptions(true, { kind, net: false })).toMatchObject({ net: false })
      expect(await getOptions(false, { kind, net: true })).toMatchObject({ net: false })
      expect(await getOptions(true, { kind, net: hosts, secrets })).toMatchObject({ net: hosts, secrets })
      const refused = await getOptions(false, { kind, net: hosts, secrets })
      expect([refused.net, refused.secrets]).toEqual([false, undefined])
    }
    const script = { kind: 'quickjs', process: true, net: hosts, secrets } as const
    expect(await getOptions(true, script)).toEqual(script)
    expect(await getOptions(false, script)).toEqual({ kind: 'quickjs', process: true })
    expect(await getOptions(true, 'quickjs')).toBe('quickjs')
  } finally {
    open.mockRestore()
  }
})

describe('two plugins with one label', () => {
  test('are both invalid, and do not run', async () => {
    place.add('@acme/x')
    place.add('acme-x')
    const plugins = await place.open()
    expect(plugins.list()).toMatchObject([
      {
        label: 'acme-x',
        state: 'invalid',
        error: { code: 'LabelInUse', message: expect.stringMatching(/@acme\/x.*acme-x/) },
      },
      { label: 'acme-x', state: 'invalid' },
    ])
    for (const call of ['enable', 'reload'] as const) {
      await expect(plugins[call]('acme-x')).rejects.toMatchObject({ code: 'LabelInUse' })
    }
    expect(place.bus.frontends().map(({ label }) => label)).not.toContain('acme-x')
    rmSync(join(place.root, 'plugins/acme-x'), { recursive: true })
    await plugins.enable('acme-x')
    expect(get(plugins, 'acme-x')).toMatchObject({ name: '@acme/x', state: 'running' })
  })

  test('a frontend that took the label of a plugin that has ended is not ended or reported as the plugin', async () => {
    place.add('main')
    const plugins = await place.open()
    const exited = new Promise(resolve => place.bus.on('exited', resolve))
    await place.bus.call('main', 'exit')
    await exited
    const client = await place.bus.connect('main')
    expect(get(plugins, 'main').state).toBe('stopped')
    await expect(plugins.enable('main')).rejects.toMatchObject({ code: 'LabelInUse' })
    await plugins.close()
    expect(await client.invoke('greet')).toBe('Hello')
  })

  test('a frontend of the program keeps its label', async () => {
    const client = await place.bus.connect('main')
    place.add('main')
    const plugins = await place.open()
    expect(get(plugins, 'main').error).toMatchObject({
      code: 'LabelInUse',
      message: expect.stringContaining('"prefix"'),
    })
    await plugins.disable('main')
    expect(await client.invoke('greet')).toBe('Hello')
  })

  test('a capability that the program has for a label is not that of a plugin, unless it is for all', async () => {
    await place.bus.addCapability({ identifier: 'main', windows: ['ma*'], permissions: ['allow-secret'] })
    await place.bus.addCapability({ identifier: 'limit', windows: ['x'], permissions: ['deny-secret'] })
    await place.bus.addCapability({ identifier: 'all', windows: ['*'], permissions: ['allow-greet'] })
    const read = { identifier: 'fs:allow-read-text-file', allow: [{ path: '/none' }] }
    await place.bus.addCapability({ identifier: 'read', windows: ['*'], permissions: [read] })
    for (const [label, identifier] of [
      ['wider', read.identifier],
      ['global', 'fs:scope'],
    ] as const)
      await place.bus.addCapability({
        identifier: label,
        windows: [label],
        permissions: [{ identifier, allow: [{ path: '/etc/*' }] }],
      })
    for (const name of ['main', 'x', 'wider', 'global']) place.add(name)
    const plugins = await place.open()
    const message = expect.stringMatching(
      /^main: a capability .* allows secret to this label\. Use the option "prefix"$/,
    )
    expect(get(plugins, 'main')).toMatchObject({ state: 'invalid', error: { code: 'LabelInUse', message } })
    for (const label of ['wider', 'global'])
      expect(get(plugins, label)).toMatchObject({ error: { code: 'LabelInUse' } })
    expect(await place.bus.call('x', 'call', { command: 'greet' })).toBe('Hello')
    const prefixed = await place.open({ prefix: 'p-', enable: ({ name }) => name === 'main' })
    expect(get(prefixed, 'p-main').state).toBe('running')
    expect(await place.bus.call('p-main', 'call', { command: 'secret' })).toMatch('Denied')
  })
})

describe('a question', () => {
  test('that fails, is refused or has no answer is an error, and grants nothing', () =>
    place.rows<[string, () => GrantAnswer | Promise<GrantAnswer>, string, RegExp]>(
      [
        ['rejects', () => Promise.reject(new Error('no window')), 'Refused', /the question failed: no window/],
        [
          'throws',
          () => {
            throw new Error('no window')
          },
          'Refused',
          /no window/,
        ],
        ['is not answered', () => new Promise(() => {}), 'Refused', /nobody answered within 100 ms/],
        ['is refused', () => false, 'Refused', /was refused/],
        ['has no answer', () => undefined as never, 'Refused', /was refused/],
        ['grants more than is requested', () => ({ permissions: ['secret'] }), 'InvalidAnswer', /more than/],
      ],
      async (_what, ask, code, message) => {
        place.add('x', { permissions: ['greet'] })
        const plugins = await place.open({ ask, askTimeout: 100 })
        expect(get(plugins, 'x').error).toMatchObject({ code, message: expect.stringMatching(message) })
        expect(existsSync(join(place.root, 'grants.json'))).toBe(false)
        expect(place.bus.frontends()).toEqual([])
      },
    ))

  test('is answered with a yes, or with the rights that are granted: all else starts nothing', async () => {
    place.add('x', { permissions: ['greet'], net: true })
    const parts: readonly (readonly [string, () => unknown])[] = [
      ['a misspelt part', () => ({ permission: [] })],
      ['a part with more', () => ({ permissions: [], allowed: false })],
      ['text as a part', () => ({ permissions: 'greet' })],
      ['a text for net', () => ({ net: 'no' })],
    ]
    await rows([...ODD_ANSWERS, ...parts])(async (_name, answer) => {
      const plugins = await place.open({ ask: answer as () => boolean })
      const { state, granted } = get(plugins, 'x')
      await plugins.close()
      expect([state, granted]).toEqual([expect.stringMatching(/^(?:refused|failed)$/), undefined])
      expect(existsSync(join(place.root, 'grants.json'))).toBe(false)
    })
  })

  test('whether to start is answered with a yes', () =>
    rows(ODD_ANSWERS)(async (_name, answer) => {
      place.add('x')
      const plugins = await place.open({ enable: answer as () => boolean }).catch(() => undefined)
      expect([plugins?.list()[0]?.state ?? 'disabled', place.bus.frontends()]).toEqual(['disabled', []])
      await plugins?.close()
    }))

  test('without the option is a refusal, and stored grants count', async () => {
    place.add('x')
    const refused = await place.open({ ask: undefined as never })
    expect(get(refused, 'x')).toMatchObject({ state: 'refused', error: { message: expect.stringContaining('"ask"') } })
    await refused.close()
    await (await place.open()).close()
    const plugins = await place.open({ ask: undefined as never })
    expect(get(plugins, 'x').state).toBe('running')
  })

  test('ends when the plugin is disabled', async () => {
    place.add('x')
    let signal: AbortSignal | undefined
    const plugins = await place.open({
      enable: false,
      ask: request => ((signal = request.signal), new Promise(() => {})),
    })
    const enabling = plugins.enable('x')
    enabling.catch(() => {})
    await expect.poll(() => get(plugins, 'x').state).toBe('asking')
    await plugins.disable('x')
    await expect(enabling).rejects.toMatchObject({ code: 'Cancelled' })
    expect([signal!.aborted, get(plugins, 'x').state]).toEqual([true, 'disabled'])
  })
})

describe('states', () => {
  test('enable and disable are idempotent', async () => {
    place.add('x')
    const plugins = await place.open({ enable: false })
    const states: string[] = []
    plugins.on('change', ({ state }) => states.push(state))
    await Promise.all([plugins.enable('x'), plugins.enable('x')])
    await plugins.enable('x')
    await Promise.all([plugins.disable('x'), plugins.disable('x')])
    await plugins.disable('x')
    await plugins.enable('x')
    expect(states).toEqual(['asking', 'starting', 'running', 'stopping', 'disabled', 'starting', 'running'])
    await expect(plugins.enable('y')).rejects.toMatchObject({ code: 'UnknownPlugin' })
  })

  test('a plugin that throws, exits or does not parse at its start has failed, and starts once it is fixed', () =>
    place.rows(
      [
        ['throws', 'throw new Error("born dead")', /born dead/],
        ['exits', 'process.exit(1)', /./],
        ['has a syntax error', 'expose({', /./],
      ],
      async (_what, code, message) => {
        const path = place.add('x', {}, { 'index.js': code })
        place.add('y')
        const plugins = await place.open()
        expect(get(plugins, 'x')).toMatchObject({ state: 'failed', error: { message: expect.stringMatching(message) } })
        expect(get(plugins, 'y').state).toBe('running')
        writeFileSync(join(path, 'index.js'), INDEX)
        await plugins.enable('x')
        expect(get(plugins, 'x')).toMatchObject({ state: 'running' })
        expect(get(plugins, 'x').error).toBeUndefined()
      },
    ))

  test('a plugin is disabled while its module loads, without waiting for it', async () => {
    place.add('x', {}, { 'index.js': 'await new Promise(() => setInterval(() => {}, 1000))' })
    const plugins = await place.open({ enable: false, frontend: { sandbox: 'permission', loadTimeout: 60_000 } })
    const enabling = plugins.enable('x')
    enabling.catch(() => {})
    await expect.poll(() => get(plugins, 'x').state).toBe('starting')
    const again = plugins.disable('x').then(() => plugins.disable('x'))
    await expect(enabling).rejects.toMatchObject({ code: 'Cancelled' })
    await again
    expect([get(plugins, 'x').state, place.bus.frontends()]).toEqual(['disabled', []])
  })

  test('enable, disable and reload in any order end in the last state', async () => {
    place.add('x')
    const plugins = await place.open({ enable: false })
    const calls = [
      'enable',
      'disable',
      'reload',
      'disable',
      'enable',
      'disable',
      'disable',
      'enable',
      'reload',
    ] as const
    await Promise.allSettled(calls.map(call => plugins[call]('x')))
    expect(await place.bus.call('x', 'ping')).toBe('pong')
    await Promise.allSettled([...calls, 'disable' as const].map(call => plugins[call]('x')))
    expect(get(plugins, 'x').state).toBe('disabled')
    expect(place.bus.frontends()).toEqual([])
  })

  test('a crash is in the list and an event, and the plugin can start again', async () => {
    place.add('x')
    const plugins = await place.open({ frontend: { sandbox: 'permission', supervision: { restart: 'temporary' } } })
    const states: string[] = []
    plugins.on('change', ({ state }) => states.push(state))
    plugins.on('change', () => undefined)()
    await place.bus.call('x', 'crash')
    await expect.poll(() => states).toContain('failed')
    expect(get(plugins, 'x')).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('on purpose') },
    })
    await plugins.enable('x')
    expect(await place.bus.call('x', 'ping')).toBe('pong')
  })

  test('a plugin whose manifest is invalid has its label, and is read again', async () => {
    place.add('dir', { main: 'none.js' }, {}, { name: '@acme/x' })
    const plugins = await place.open()
    expect(plugins.list()).toMatchObject([{ label: 'acme-x', name: '@acme/x', state: 'invalid' }])
    place.add('dir', {}, {}, { name: '@acme/x' })
    await plugins.enable('acme-x')
    expect(plugins.list()).toMatchObject([{ label: 'acme-x', state: 'running' }])
  })

  test('a watched plugin with a link that leads out is invalid, and nothing there is watched', async () => {
    symlinkSync('/', join(place.add('x'), 'disk'))
    const plugins = await place.open({ enable: false })
    await expect(plugins.enable('x', { watch: true })).rejects.toMatchObject({ code: 'InvalidPlugin' })
    await plugins.uninstall('x')
  })

  test('a watched plugin restarts with each change, also after a failure, and is asked about new requests only', async () => {
    const [path, other] = [place.add('x'), place.add('y')]
    const asked: string[] = []
    const ask = ({ name, reason }: GrantRequest): boolean => name === 'y' || asked.push(reason) > 0
    const plugins = await place.open({ enable: false, ask })
    await plugins.enable('x', { watch: true })
    await plugins.enable('x', { watch: true })
    await plugins.enable('y', { watch: true })
    writeFileSync(join(path, 'index.js'), 'expose(')
    await expect.poll(() => get(plugins, 'x').state).toBe('failed')
    writeFileSync(join(path, 'index.js'), INDEX.replace("'pong'", "'changed'"))
    await expect.poll(() => place.bus.call('x', 'ping').catch(() => '')).toBe('changed')
    expect(asked).toEqual(['first'])
    place.add('x', { permissions: ['greet'] })
    await expect.poll(() => place.bus.call('x', 'call', { command: 'greet' }).catch(() => '')).toBe('Hello')
    expect(asked).toEqual(['first', 'changed'])
    await plugins.disable('x')
    writeFileSync(join(path, 'index.js'), INDEX)
    // A later change of another plugin is seen.
    writeFileSync(join(other, 'index.js'), INDEX.replace("'pong'", "'changed'"))
    await expect.poll(() => place.bus.call('y', 'ping').catch(() => '')).toBe('changed')
    expect(get(plugins, 'x').state).toBe('disabled')
  })

  test('a watched plugin is watched again after its directory was replaced', async () => {
    const path = place.add('x')
    const plugins = await place.open({ enable: false })
    await plugins.enable('x', { watch: true })
    rmSync(path, { recursive: true })
    for (const version of ['2', '3']) {
      place.add('x', {}, { 'index.js': INDEX.replace("'pong'", `'${version}'`) })
      await expect.poll(() => place.bus.call('x', 'ping').catch(() => '')).toBe(version)
    }
  })
})

describe('a core that restarts', () => {
  const other = new Place({ core: new URL('fixtures/core.mjs', import.meta.url) })

  test('is waited for by a plugin that starts', async () => {
    other.add('x')
    const plugins = await other.open({ enable: false })
    const reloaded = other.bus.reload('core')
    await plugins.enable('x')
    await reloaded
    expect(await other.bus.call('x', 'ping')).toBe('pong')
  })
})

test('misspelt names of events and options are refused', async () => {
  place.add('x')
  const plugins = await place.open({ enable: false })
  expect(() => plugins.on('chnage' as never, () => {})).toThrow(
    'plugins.on: unknown option "chnage" (did you mean "change"?)',
  )
  const message = 'plugins.enable: unknown option "wacth" (did you mean "watch"?)'
  const refused = { reason: 'InvalidParams', message }
  await expect(plugins.enable('x', { wacth: true } as never)).rejects.toMatchObject(refused)
  await expect(plugins.install('x@1.0.0', { integrty: 'sha512-x' } as never)).rejects.toThrow(
    'did you mean "integrity"',
  )
  await expect(plugins.uninstall('x', { keepGrants: true } as never)).rejects.toThrow('did you mean "keepGrant"')
})

test('each file that people edit is read as it was meant, or refused with its place and left as it is', async () => {
  const path = place.add('@acme/x', { settings: { list: [1] } })
  const [manifest, grants] = [join(path, 'package.json'), join(place.root, 'grants.json')]
  await (await place.open()).close()
  const own = JSON.stringify({ name: '@acme/x', version: '1.0.0', main: 'index.js', settings: { list: [1] } })
  const files: readonly [string, string, string][] = [
    [grants, readFileSync(grants, 'utf8'), 'InvalidGrants'],
    [manifest, readFileSync(manifest, 'utf8'), 'InvalidPlugin'],
    [join(path, 'sallyport.json'), own, 'InvalidPlugin'],
  ]
  for (const [file, json, code] of files) {
    await rows(editJson(json))(async (_name, bytes, mistake) => {
      // As an editor does that keeps the old file until the new one is there.
      writeFileSync(`${file}~`, bytes)
      renameSync(`${file}~`, file)
      const plugins = await place.open().catch((error: PluginError) => error)
      const error = plugins instanceof Error ? plugins : (plugins.list()[0]!.error as PluginError | undefined)
      if (!mistake) expect(error).toBeUndefined()
      else {
        expect(error).toMatchObject({ code, file, message: expect.stringMatching(mistake) })
        expect(readFileSync(file)).toEqual(bytes)
      }
      if (plugins instanceof Error) return
      const { label, state, settings } = plugins.list()[0]!
      await plugins.close()
      expect(label).toBe('acme-x')
      if (!mistake) expect([state, settings]).toEqual(['running', { list: [1] }])
    })
    writeFileSync(file, json)
  }
})

describe('the file of grants', () => {
  test('that is malformed is an error, and stays as it is', () =>
    place.rows(
      [
        ['{', undefined],
        ['{"plugins": {}}', 'plugins'],
        ['{"plugins": [{"name": "x"}]}', 'plugins.0.version'],
        ['{"plugins": [], "__proto__": {}}', '__proto__'],
        [`{"plugins": []}${' '.repeat(2 ** 20)}`, undefined],
      ],
      async (text, key) => {
        const file = join(place.root, 'grants.json')
        writeFileSync(file, text)
        place.add('x')
        await expect(place.open()).rejects.toMatchObject({ code: 'InvalidGrants', file, key })
        expect(readFileSync(file, 'utf8')).toBe(text)
      },
    ))

  test('is written as a whole, by one after the other', async () => {
    for (let n = 0; n < 5; n++) place.add(`p${n}`)
    await place.open()
    expect(readGrants().plugins.map(({ name }: { name: string }) => name)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4'])
    expect(readdirSync(place.root).toSorted()).toEqual(['grants.json', 'plugins'])
    if (process.platform !== 'win32') expect(statSync(join(place.root, 'grants.json')).mode & 0o777).toBe(0o600)
  })

  test('can be that of several hosts, of which none loses what another one has written', async () => {
    for (let n = 0; n < 4; n++) place.add(`p${n}`)
    const asked: string[] = []
    const ask = ({ name }: GrantRequest): boolean => asked.push(name) > 0
    const hosts = await Promise.all(
      ['a-', 'b-'].map(prefix => place.open({ prefix, ask, enable: false, frontend: { sandbox: 'permission' } })),
    )
    const [first, second] = hosts as [Plugins, Plugins]
    await Promise.all([first.enable('a-p0'), second.enable('b-p1'), first.enable('a-p2'), second.enable('b-p3')])
    expect(readGrants().plugins.map(({ name }: { name: string }) => name)).toEqual(['p0', 'p1', 'p2', 'p3'])
    await Promise.all([first.enable('a-p1'), second.enable('b-p0')])
    expect(asked.toSorted()).toEqual(['p0', 'p1', 'p2', 'p3'])
  })

  test('can be edited while the program runs: a grant that is gone is asked for', async () => {
    place.add('x')
    const asked: string[] = []
    const plugins = await place.open({ ask: ({ reason }) => asked.push(reason) > 0 })
    writeFileSync(join(place.root, 'grants.json'), '{"plugins": []}')
    await plugins.reload('x')
    expect(asked).toEqual(['first', 'first'])
    writeFileSync(join(place.root, 'grants.json'), '{"plugins": 1}')
    await expect(plugins.reload('x')).rejects.toMatchObject({ code: 'InvalidGrants', key: 'plugins' })
    expect(get(plugins, 'x').state).toBe('failed')
  })

  test('can be a link, which stays one', async () => {
    place.add('x')
    const [file, real] = [join(place.root, 'grants.json'), join(place.root, 'mine.json')]
    writeFileSync(real, '\uFEFF{"plugins": []}')
    symlinkSync('mine.json', file)
    await place.open()
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    expect(JSON.parse(readFileSync(real, 'utf8')).plugins).toMatchObject([{ name: 'x' }])
  })

  test('that cannot be written fails the plugin, which does not run', async () => {
    place.add('x')
    mkdirSync(join(place.root, 'no'))
    const plugins = await place.open({ grants: join(place.root, 'no/such/grants.json') })
    const { state, error } = get(plugins, 'x')
    expect([state, error!.message]).toEqual([
      'refused',
      expect.stringContaining(`${join(place.root, 'no/such/grants.json')} was not written: ENOENT`),
    ])
    expect(error!.message).not.toContain('.next')
    expect(place.bus.frontends()).toEqual([])
  })
})

test('wrong options are refused', () =>
  rows([
    [{ directory: 'relative' }, /^openPlugins: directory must be a file URL/],
    [{ directori: '/x' }, /^openPlugins: unknown option "directori" \(did you mean "directory"/],
    [{ askTimeout: 0 }, /askTimeout/],
    [{ prefix: 'ä' }, /prefix/],
    [{ ask: true }, /ask must be/],
    [{ frontend: 'permission' }, /frontend must be/],
    [{ permissions: ['fs:own'] }, /permissions.0 must be an array/],
    [{ apiVersion: '2' }, /apiVersion must be a version/],
    [{ directory: undefined }, /must be an object with directory or packages/],
  ])(async (options, message) => {
    await expect(place.open(options as never)).rejects.toThrow(message)
  }))

test('a wrong option of frontends is an error of openPlugins', async () => {
  place.add('x')
  const plugins = await place.open({ frontend: { sandbx: 'process' } as never })
  const message = 'openPlugins: frontend: unknown option "sandbx" (did you mean "sandbox"?)'
  expect(get(plugins, 'x')).toMatchObject({ state: 'failed', error: { reason: 'InvalidParams', message } })
})
