// Installs packages: from a registry and from tarballs, which can be hostile.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Header, type HeaderData } from 'tar'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { GrantRequest } from '../src/ask.js'
import { readIntegrity } from '../src/content.js'
import { createTemporary } from '../src/install.js'
import { INDEX, Place } from './start.js'
import { choose, rows } from '../../../scripts/testing.js'

interface Entry extends HeaderData {
  content?: string
}

/** Returns a tarball of entries as an attacker would write it: no library refuses anything. */
function pack(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ content = '', ...data }) => {
    const body = Buffer.from(content)
    const header = new Header({ mode: 0o644, mtime: new Date(0), type: 'File', size: body.length, ...data })
    header.encode()
    return [header.block!, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

const packageOf = (info: object = {}, more: readonly Entry[] = []): Buffer =>
  pack([
    {
      path: 'package/package.json',
      content: JSON.stringify({ name: '@acme/x', version: '1.2.3', type: 'module', sallyport: {}, ...info }),
    },
    { path: 'package/index.js', content: INDEX },
    ...more,
  ])

const place = new Place()
const save = (tarball: Buffer): string => {
  const file = join(place.root, 'package.tgz')
  writeFileSync(file, tarball)
  return file
}
/** What is in the directory of plugins: nothing is left of an attempt that failed. */
const installed = (): string[] => readdirSync(join(place.root, 'plugins'))

test('a tarball is installed without its scripts, asked about, and runs', async () => {
  const ran = join(place.root, 'ran')
  const scripts = {
    preinstall: `touch ${ran}`,
    install: `touch ${ran}`,
    postinstall: `touch ${ran}`,
    prepare: `touch ${ran}`,
  }
  const plugins = await place.open()
  const file = save(
    packageOf({ scripts, dependencies: { '@sallyport/frontend': '*' }, sallyport: { permissions: ['greet'] } }),
  )
  expect(await plugins.install(file)).toMatchObject({ label: 'acme-x', version: '1.2.3', state: 'disabled' })
  await plugins.enable('acme-x')
  expect(await place.bus.call('acme-x', 'call', { command: 'greet' })).toBe('Hello')
  expect([existsSync(ran), installed()]).toEqual([false, ['_acme-x']])
  const { installed: pins } = JSON.parse(readFileSync(join(place.root, 'grants.json'), 'utf8'))
  expect(pins).toEqual([
    {
      name: '@acme/x',
      version: '1.2.3',
      integrity: `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`,
    },
  ])
})

test('an update replaces a plugin that runs, asks for what is new, and is undone by a refusal', async () => {
  const asked: GrantRequest[] = []
  let answer = true
  const plugins = await place.open({ ask: request => (asked.push(request), answer) })
  await plugins.install(save(packageOf()))
  await plugins.enable('acme-x')
  const next = { version: '1.3.0', sallyport: { permissions: ['greet'] } }
  expect(await plugins.install(save(packageOf(next)))).toMatchObject({ version: '1.3.0', state: 'running' })
  expect(asked.map(({ reason, version, added }) => [reason, version, added.permissions])).toEqual([
    ['first', '1.2.3', []],
    ['update', '1.3.0', ['greet']],
  ])
  answer = false
  const refused = plugins.install(save(packageOf({ version: '1.4.0', sallyport: { permissions: ['secret'] } })))
  await expect(refused).rejects.toMatchObject({ code: 'Refused' })
  expect(plugins.list()).toMatchObject([{ version: '1.3.0', state: 'running', granted: { permissions: ['greet'] } }])
  expect(await place.bus.call('acme-x', 'call', { command: 'greet' })).toBe('Hello')
  expect(installed()).toEqual(['_acme-x'])
})

test('another tarball for an installed version is refused, and the plugin keeps running', async () => {
  const plugins = await place.open()
  await plugins.install(save(packageOf()))
  await plugins.enable('acme-x')
  const other = save(packageOf({}, [{ path: 'package/other.js', content: '' }]))
  await expect(plugins.install(other)).rejects.toMatchObject({
    code: 'InstallFailed',
    message: expect.stringContaining('is not the tarball that was installed before'),
  })
  await expect(plugins.install(other, { integrity: 'sha512-AAAA' })).rejects.toThrow('integrity checksum failed')
  expect([await place.bus.call('acme-x', 'ping'), installed()]).toEqual(['pong', ['_acme-x']])
})

test('a hash that cannot be checked, or a registry that would be npm, is refused', async () => {
  const plugins = await place.open()
  const file = save(packageOf())
  for (const integrity of [
    '',
    'sha512',
    'sha3-512-AAAA',
    createHash('sha512').update(readFileSync(file)).digest('hex'),
  ]) {
    await expect(plugins.install(file, { integrity })).rejects.toThrow('plugins.install: integrity must be a hash')
  }
  await expect(plugins.install('@acme/x@1.2.3', { registry: '' })).rejects.toThrow('registry must be an HTTP URL')
  expect(plugins.list()).toEqual([])
})

test('a package with the label of another plugin is refused', async () => {
  place.add('acme-x')
  const plugins = await place.open()
  await expect(plugins.install(save(packageOf()))).rejects.toMatchObject({ code: 'LabelInUse' })
  expect([await place.bus.call('acme-x', 'ping'), installed()]).toEqual(['pong', ['acme-x']])
})

test('the hash of a plugin covers each of many files in a directory', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `lib/${n}.js`)
  const directory = place.write('x', Object.fromEntries(names.map(name => [name, ''])))
  const hashes = new Set([await readIntegrity(directory)])
  for (const name of names) {
    writeFileSync(join(directory, name), 'changed')
    hashes.add(await readIntegrity(directory))
  }
  expect(hashes.size).toBe(names.length + 1)
})

test('a tarball does not decide on the modes of files', async () => {
  const more = [
    { path: 'package/tool', mode: 0o6777 },
    { path: 'package/lib/', type: 'Directory', mode: 0o7777 } as const,
  ]
  const { directory } = await (await place.open()).install(save(packageOf({}, more)))
  const modes = ['tool', 'lib'].map(name => statSync(join(directory, name)).mode & 0o7022)
  expect(modes).toEqual([0, 0])
})

/** Returns the id of a process that has ended. */
async function findDead(): Promise<number> {
  const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(dead, 'exit')
  return dead.pid!
}

test('an install that was killed is undone by the next program, and leaves nothing', async () => {
  place.add('_x', {}, {}, { name: 'x', version: '2.0.0' })
  const killed = `.install-${encodeURIComponent(hostname())}-${await findDead()}-abcdef`
  const running = `.install-${encodeURIComponent(hostname())}-${process.pid}-abcdef`
  const elsewhere = '.install-elsewhere-1-abcdef'
  for (const [directory, name] of [
    [`${killed}/old/_x`, 'x'],
    [`${running}/old/_x`, 'x'],
    [`${elsewhere}/old/_y`, 'y'],
  ] as const)
    place.add(directory, {}, {}, { name })
  const plugins = await place.open({ enable: false })
  expect(plugins.list().map(({ name, version }) => [name, version])).toEqual([
    ['x', '1.0.0'],
    ['y', '1.0.0'],
  ])
  expect(installed().toSorted()).toEqual([elsewhere, running, '_x', '_y'].toSorted())
})

test('an install that was killed is undone though its process id is taken again, as in a container', async () => {
  const { temporary } = await createTemporary(join(place.root, 'plugins'))
  const start = /\.(\d+)-\w+$/.exec(temporary)![1]!
  place.add('_x', {}, {}, { name: 'x', version: '2.0.0' })
  // Where the system does not say when a process has started, it could be this one.
  const isSaid = start !== '0'
  place.add(`${basename(temporary).replace(start, `${start}1`)}/old/_x`, {}, {}, { name: 'x' })
  const [x] = (await place.open({ enable: false })).list()
  expect([x?.version, installed().length]).toEqual(isSaid ? ['1.0.0', 2] : ['2.0.0', 3])
})

test('an update that was killed while it removed the old version stays', async () => {
  const plugins = await place.open({ enable: false })
  await plugins.install(save(packageOf()))
  await plugins.enable('acme-x')
  // The directory cannot be removed, as if the program had ended.
  const { rm } = promises
  const removal = vi.spyOn(promises, 'rm').mockImplementation((path, options) => {
    return /[.]install-[^/]+$/.test(String(path)) ? Promise.reject(new Error('killed')) : rm(path, options)
  })
  syncBuiltinESMExports()
  const update = plugins.install(save(packageOf({ version: '1.3.0' })))
  await expect(update).rejects.toThrow('killed')
  removal.mockRestore()
  syncBuiltinESMExports()
  const [left = ''] = installed().filter(name => name.startsWith('.install-'))
  const killed = left.replace(/\d+\.\d+-\w+$/, `${await findDead()}-abcdef`)
  renameSync(join(place.root, 'plugins', left), join(place.root, 'plugins', killed))
  await plugins.close()
  expect((await place.open()).list()).toMatchObject([{ version: '1.3.0', state: 'running' }])
  expect(installed()).toEqual(['_acme-x'])
})

describe('a plugin that is broken', () => {
  const change = (edit: (manifest: Record<string, any>) => void) => (directory: string) => {
    const file = join(directory, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    edit(manifest)
    writeFileSync(file, JSON.stringify(manifest))
  }
  const text = (content: string) => (directory: string) => writeFileSync(join(directory, 'package.json'), content)
  const put = (path: string, into: (file: string) => void) => (directory: string) => {
    const file = join(directory, path)
    rmSync(file, { recursive: true, force: true })
    into(file)
  }
  const CAUSES: Readonly<Record<string, (directory: string) => void>> = {
    'no manifest': put('package.json', () => {}),
    'an empty manifest': text(''),
    'half a manifest': text('{"name": "@acme/x", "version": "1.2.3", "sally'),
    'a list': text('[]'),
    'a key of prototypes': text('{"name": "@acme/x", "sallyport": {}, "__proto__": {}}'),
    'a large manifest': text(JSON.stringify({ name: '@acme/x', sallyport: {}, filler: 'x'.repeat(2 ** 20) })),
    'a directory for a manifest': put('package.json', file => mkdirSync(file)),
    'a manifest elsewhere': put('package.json', file => symlinkSync('/etc/hostname', file)),
    'no plugin': change(manifest => delete manifest['sallyport']),
    'an unknown key': change(manifest => (manifest['sallyport'].sandbox = 'none')),
    'no name': change(manifest => delete manifest['name']),
    'a wrong name': change(manifest => (manifest['name'] = '../x')),
    'a name of the bus': change(manifest => (manifest['name'] = 'core')),
    'a wrong version': change(manifest => (manifest['version'] = 'new')),
    'a wrong range': change(manifest => (manifest['sallyport'].apiVersion = 'new')),
    'another API': change(manifest => (manifest['sallyport'].apiVersion = '^9.0.0')),
    'a module elsewhere': change(manifest => (manifest['sallyport'].main = '../x.js')),
    'wrong permissions': change(manifest => (manifest['sallyport'].permissions = [1])),
    'an unknown permission': change(manifest => (manifest['sallyport'].permissions = ['gret'])),
    'a wrong net': change(manifest => (manifest['sallyport'].net = 'no')),
    'no module': put('index.js', () => {}),
    'a link that leads out': put('etc', file => symlinkSync('/etc', file)),
    'nothing at all': put('', directory => mkdirSync(directory)),
    'a file': put('', directory => writeFileSync(directory, '')),
    'a dangling link': put('', directory => symlinkSync('none', directory)),
  }

  const TRIES = ['1.1.0', '1.2.3', '1.3.0'].flatMap(version => ['1.0.0', '2.0.0'].map(api => [version, api] as const))

  test('is replaced by each version, also for another API, and keeps its label', () =>
    place.rows(
      Object.entries(CAUSES).map((row, index) => [...row, index] as const),
      async (cause, damage, index) => {
        const directory = join(place.root, 'plugins/_acme-x')
        // Each cause with one of them in turn: what is there has no part in which version replaces it.
        for (const [version, apiVersion] of choose(TRIES, [1, 2, 5][index % 3]!)) {
          rmSync(directory, { recursive: true, force: true })
          const good = { name: '@acme/x', version: '1.2.3', type: 'module', sallyport: {} }
          place.write('_acme-x', { 'package.json': good, 'index.js': INDEX })
          damage(directory)
          const plugins = await place.open({ apiVersion })
          const [before] = plugins.list()
          if (cause === 'a file' || cause === 'a dangling link') expect(before).toBeUndefined()
          else {
            expect(before).toMatchObject({ state: 'invalid', error: { code: 'InvalidPlugin' } })
            if (cause !== 'a name of the bus') {
              expect(before!.label).toBe('acme-x')
              await expect(plugins.enable('acme-x')).rejects.toMatchObject({ code: 'InvalidPlugin' })
            }
          }
          const file = save(packageOf({ version, sallyport: { apiVersion: '>=1' } }))
          expect(await plugins.install(file)).toMatchObject({ label: 'acme-x', version, state: 'disabled' })
          expect([plugins.list().length, installed()]).toEqual([1, ['_acme-x']])
          if (version === '1.3.0') {
            await plugins.enable('acme-x')
            expect(await place.bus.call('acme-x', 'ping')).toBe('pong')
          }
          await plugins.close()
        }
      },
    ))

  test('as one for another API is replaced by one for this API, and stays if that is for another one, too', async () => {
    const first = await place.open({ apiVersion: '1.0.0' })
    await first.install(save(packageOf({ sallyport: { apiVersion: '^1.0.0' } })))
    await first.enable('acme-x')
    await first.close()
    const plugins = await place.open({ apiVersion: '2.0.0' })
    const old = { label: 'acme-x', name: '@acme/x', state: 'invalid' }
    expect(plugins.list()).toMatchObject([old])
    const same = plugins.install(save(packageOf({ sallyport: { apiVersion: '^1.0.0' } })))
    await expect(same).rejects.toMatchObject({ code: 'InvalidPlugin' })
    expect(plugins.list()).toMatchObject([old])
    for (const version of ['1.3.0', '1.1.0']) {
      await plugins.install(save(packageOf({ version, sallyport: { apiVersion: '^2.0.0' } })))
      await plugins.enable('acme-x')
      expect(plugins.list()).toMatchObject([{ label: 'acme-x', version, state: 'running' }])
    }
  })

  test('gives no label away: that of a plugin of another name is kept', async () => {
    const plugins = await place.open()
    await plugins.install(save(packageOf()))
    for (const sallyport of [{}, { apiVersion: '^9.0.0' }]) {
      place.write('_acme-x', { 'package.json': { name: '@acme/x', type: 'module', sallyport } })
      for (const host of [plugins, await place.open({ apiVersion: '1.0.0', enable: false })]) {
        const other = host.install(save(packageOf({ name: 'acme-x' })))
        await expect(other).rejects.toMatchObject({ code: 'LabelInUse' })
      }
    }
    rmSync(join(place.root, 'plugins/_acme-x'), { recursive: true })
    const late = await place.open()
    await plugins.install(save(packageOf()))
    const behind = late.install(save(packageOf({ name: 'acme-x' })))
    await expect(behind).rejects.toMatchObject({ code: 'LabelInUse' })
    place.write('_other', { 'package.json': '{' })
    place.write('other', { 'package.json': '{' })
    const second = await place.open({ prefix: 'p-' })
    expect(second.list().map(({ label }) => label)).toEqual(['p-acme-x', 'p-other', 'p-other'])
    await second.install(save(packageOf({ name: 'other' })))
    await second.enable('p-other')
    expect(await place.bus.call('p-other', 'ping')).toBe('pong')
  })
})

test('an update that does not start brings the old version back, with its grant', () =>
  place.rows(
    [
      ['throws', { content: 'throw new Error("born dead")' }, /born dead/],
      ['exits', { content: 'process.exit(1)' }, /./],
      ['is no module', { content: 'expose({' }, /./],
      ['requests what there is not', { permissions: ['gret'] }, /did you mean/],
    ],
    async (
      _what,
      { content = INDEX, permissions = ['secret'] }: { content?: string; permissions?: string[] },
      message,
    ) => {
      const asked: string[] = []
      const plugins = await place.open({ ask: ({ version }) => asked.push(version) > 0 })
      await plugins.install(save(packageOf({ sallyport: { permissions: ['greet'] } })))
      await plugins.enable('acme-x')
      const sallyport = { main: 'new.js', permissions }
      const next = packageOf({ version: '1.3.0', sallyport }, [{ path: 'package/new.js', content }])
      await expect(plugins.install(save(next))).rejects.toThrow(message)
      const granted = { permissions: ['greet'], net: false }
      expect(plugins.list()).toMatchObject([{ version: '1.2.3', state: 'running', granted }])
      expect(await place.bus.call('acme-x', 'call', { command: 'greet' })).toBe('Hello')
      expect(await place.bus.call('acme-x', 'call', { command: 'secret' })).toMatch(/^Denied/)
      await plugins.disable('acme-x')
      await plugins.enable('acme-x')
      expect(asked.filter(version => version === '1.2.3')).toHaveLength(1)
      expect(installed()).toEqual(['_acme-x'])
    },
  ))

describe('uninstall and revoke', () => {
  const readGrants = (): string[] =>
    JSON.parse(readFileSync(join(place.root, 'grants.json'), 'utf8')).plugins.map(({ name }: { name: string }) => name)

  test('end what runs, and keep or drop the grant', async () => {
    const asked: string[] = []
    const plugins = await place.open({ ask: ({ reason }) => asked.push(reason) > 0 })
    const file = save(packageOf())
    await plugins.install(file)
    await plugins.enable('acme-x')
    const left: unknown[] = []
    plugins.on('change', ({ state }) => left.push([state, readGrants()]))
    await plugins.revoke('acme-x')
    expect([place.bus.frontends(), readGrants()]).toEqual([[], []])
    expect(plugins.list()).toMatchObject([{ state: 'disabled', granted: undefined }])
    // It has ended before its grant is gone.
    expect(left).toEqual([
      ['stopping', ['@acme/x']],
      ['disabled', ['@acme/x']],
      ['disabled', []],
    ])
    await plugins.enable('acme-x')
    await plugins.uninstall('acme-x', { keepGrant: true })
    expect([plugins.list(), installed(), place.bus.frontends(), readGrants()]).toEqual([[], [], [], ['@acme/x']])
    await plugins.install(file)
    await plugins.enable('acme-x')
    expect(asked).toEqual(['first', 'first'])
    await plugins.uninstall('acme-x')
    expect([plugins.list(), installed(), place.bus.frontends(), readGrants()]).toEqual([[], [], [], []])
    await plugins.install(file)
    await plugins.enable('acme-x')
    expect(asked).toEqual(['first', 'first', 'first'])
  })

  test('refuse a keepGrant that is neither true nor false, and remove nothing', async () => {
    const plugins = await place.open()
    await plugins.install(save(packageOf()))
    for (const keepGrant of ['no', 'yes', 1, {}]) {
      await expect(plugins.uninstall('acme-x', { keepGrant: keepGrant as never })).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: 'plugins.uninstall: keepGrant must be true or false',
      })
    }
    expect(plugins.list()).toHaveLength(1)
  })

  test('end a plugin that starts, asks, is broken, or whose directory is gone', async () => {
    let answer: unknown = true
    const plugins = await place.open({ ask: () => answer as boolean })
    const file = save(packageOf())
    const directory = join(place.root, 'plugins/_acme-x')
    await plugins.install(file)
    await plugins.enable('acme-x')
    writeFileSync(join(directory, 'package.json'), '{')
    await expect(plugins.reload('acme-x')).rejects.toMatchObject({ code: 'InvalidPlugin' })
    await plugins.revoke('acme-x')
    expect(readGrants()).toEqual([])
    await plugins.uninstall('acme-x')
    expect([plugins.list(), installed()]).toEqual([[], []])

    await plugins.install(file)
    answer = new Promise(() => {})
    const enabling = plugins.enable('acme-x')
    enabling.catch(() => {})
    await expect.poll(() => plugins.list()[0]!.state).toBe('asking')
    await plugins.uninstall('acme-x')
    await expect(enabling).rejects.toMatchObject({ code: 'Cancelled' })
    expect([plugins.list(), installed()]).toEqual([[], []])

    await plugins.install(file)
    rmSync(directory, { recursive: true })
    await plugins.uninstall('acme-x')
    await expect(plugins.uninstall('acme-x')).rejects.toMatchObject({ code: 'UnknownPlugin' })
    await expect(plugins.revoke('acme-x')).rejects.toMatchObject({ code: 'UnknownPlugin' })
    expect([plugins.list(), installed()]).toEqual([[], []])
  })

  test('remove nothing that is elsewhere, whose label is not clear, or while the grants cannot be read', async () => {
    const elsewhere = place.add('../elsewhere/z', {}, {}, { name: 'z' })
    place.add('@acme/x')
    place.add('acme-x')
    place.add('y')
    const plugins = await place.open({ packages: [elsewhere] })
    await expect(plugins.uninstall('z')).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(plugins.uninstall('acme-x')).rejects.toMatchObject({ code: 'LabelInUse' })
    const grants = readFileSync(join(place.root, 'grants.json'), 'utf8')
    writeFileSync(join(place.root, 'grants.json'), grants.slice(0, 100))
    for (const call of ['uninstall', 'revoke'] as const)
      await expect(plugins[call]('y')).rejects.toMatchObject({ code: 'InvalidGrants' })
    expect(readFileSync(join(place.root, 'grants.json'), 'utf8')).toBe(grants.slice(0, 100))
    expect([existsSync(elsewhere), installed().toSorted()]).toEqual([true, ['@acme', 'acme-x', 'y']])
  })

  test('leave what is kept for a label to packages of that name', async () => {
    const plugins = await place.open()
    await plugins.install(save(packageOf()))
    await plugins.enable('acme-x')
    await plugins.uninstall('acme-x')
    const file = save(packageOf({ name: 'acme-x' }))
    await expect(plugins.install(file)).rejects.toMatchObject({
      code: 'LabelInUse',
      message: expect.stringMatching(/acme-x is that of @acme\/x\. Use the option "prefix", or remove its data/),
    })
    place.add('acme-x')
    const next = await place.open()
    expect(next.list()).toMatchObject([{ label: 'acme-x', state: 'invalid', error: { code: 'LabelInUse' } }])
    expect(readGrants()).toEqual([])
    await next.uninstall('acme-x')
    await next.install(save(packageOf()))
    await next.enable('acme-x')
    expect(await place.bus.call('acme-x', 'ping')).toBe('pong')
  })

  test('of one of two packages with a label keep the grant of the other one', async () => {
    place.add('@acme/x')
    const plugins = await place.open()
    const file = join(place.root, 'grants.json')
    const grants = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(
      file,
      JSON.stringify({ ...grants, plugins: [...grants.plugins, { ...grants.plugins[0], name: 'acme-x' }] }),
    )
    await plugins.revoke('acme-x')
    expect(readGrants()).toEqual(['acme-x'])
  })

  test('of a grant during the question about an update hold when that is refused', async () => {
    const asked: string[] = []
    const plugins = await place.open({
      ask: async ({ version, reason }) => {
        asked.push(`${reason} ${version}`)
        if (version === '1.3.0') await (await place.open({ enable: false })).revoke('acme-x')
        return asked.length === 1
      },
    })
    await plugins.install(save(packageOf()))
    await plugins.enable('acme-x')
    await expect(plugins.install(save(packageOf({ version: '1.3.0' })))).rejects.toMatchObject({ code: 'Refused' })
    expect(asked).toEqual(['first 1.2.3', 'update 1.3.0', 'first 1.2.3'])
    expect(plugins.list()).toMatchObject([{ version: '1.2.3', state: 'refused' }])
    expect(readGrants()).toEqual([])
  })

  test('win over each start that is called meanwhile, and give no revoked grant back', async () => {
    const plugins = await place.open({ ask: ({ version }) => version === '1.2.3' })
    for (const moment of ['stopping', 'refused']) {
      await plugins.install(save(packageOf()))
      await plugins.enable('acme-x')
      // The start of the new version is refused, which would bring back the grant of the old one.
      const installing = plugins.install(save(packageOf({ version: '1.3.0' })))
      let revoked: Promise<void> | undefined
      const off = plugins.on('change', ({ state }) => void (state === moment && (revoked ??= plugins.revoke('acme-x'))))
      expect(await installing).toMatchObject({ version: '1.3.0' })
      await revoked
      expect([plugins.list()[0]!.state, place.bus.frontends(), readGrants()], moment).toEqual(['disabled', [], []])
      off()
      await plugins.uninstall('acme-x')
    }
    await plugins.install(save(packageOf()))
    const removing = plugins.uninstall('acme-x')
    const starts = await Promise.allSettled([plugins.enable('acme-x'), removing, plugins.reload('acme-x')])
    await removing
    expect(starts[1].status).toBe('fulfilled')
    await expect.poll(() => place.bus.frontends()).toEqual([])
    expect([plugins.list(), installed()]).toEqual([[], []])
  })
})

describe('a tarball', () => {
  const hostile: [string, () => Buffer, RegExp][] = [
    [
      'with a path that leads out',
      () => packageOf({}, [{ path: 'package/../../../out.js', content: 'x' }]),
      /leads out/,
    ],
    ['with a path that leads out on Windows', () => packageOf({}, [{ path: 'package\\..\\..\\out.js' }]), /leads out/],
    ['with an absolute path', () => packageOf({}, [{ path: '/tmp/sallyport-out.js', content: 'x' }]), /leads out/],
    [
      'with a link',
      () => packageOf({}, [{ path: 'package/etc', type: 'SymbolicLink', linkpath: '/etc' }]),
      /SymbolicLink/,
    ],
    [
      'with a file through a link',
      () =>
        packageOf({}, [
          { path: 'package/up', type: 'SymbolicLink', linkpath: '../..' },
          { path: 'package/up/out.js', content: 'x' },
        ]),
      /SymbolicLink/,
    ],
    [
      'with a hard link',
      () => packageOf({}, [{ path: 'package/p', type: 'Link', linkpath: '/etc/passwd' }]),
      /is a Link/,
    ],
    ['with a device', () => packageOf({}, [{ path: 'package/d', type: 'CharacterDevice' }]), /CharacterDevice/],
    ['with a pipe', () => packageOf({}, [{ path: 'package/p', type: 'FIFO' }]), /FIFO/],
    [
      'with too many files',
      () =>
        packageOf(
          {},
          Array.from({ length: 10_001 }, (_, n) => ({ path: `package/${n}` })),
        ),
      /more than 10000 files/,
    ],
    [
      'with too many directories',
      () =>
        packageOf(
          {},
          Array.from({ length: 100 }, (_, n) => ({ path: `package/${n}${'/a'.repeat(110)}/x` })),
        ),
      /more than 10000 files and directories/,
    ],
    [
      'with a path that only a shorter directory could hold',
      () =>
        packageOf({}, [
          { path: 'package/pax', type: 'ExtendedHeader', content: `1518 path=package${'/a'.repeat(750)}\n` },
          { path: 'package/x' },
        ]),
      /path of more than 1000 characters/,
    ],
    ['with a member of 10 GB', () => packageOf({}, [{ path: 'package/x', size: 10 * 2 ** 30 }]), /refused/],
    [
      'that expands without end',
      // Members of a mebibyte: to compress all of it takes as long as the rest of the table.
      () => Buffer.concat(Array(300).fill(gzipSync(Buffer.alloc(1024 * 1024)))),
      /more than 268435456 bytes/,
    ],
    ['that is cut off', () => packageOf().subarray(0, 200), /refused: unexpected end/],
    ['that is no tarball', () => Buffer.from('hello'), /refused: incorrect header/],
    ['of a package that is no plugin', () => packageOf({ sallyport: undefined }), /not a plugin/],
    ['with dependencies outside', () => packageOf({ dependencies: { lodash: '*' } }), /needs lodash/],
    ['whose main leads out', () => packageOf({ sallyport: { main: '../../x.js' } }), /leads out/],
  ]
  test('that is hostile, damaged or no plugin is refused, and leaves nothing', async () => {
    const plugins = await place.open()
    await rows(hostile)(async (_what, create, message) => {
      const error = await plugins.install(save(create())).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'PluginError', message: expect.stringMatching(message) })
      expect((error as Error).message).not.toContain('.install-')
      expect([plugins.list(), installed()]).toEqual([[], []])
      expect(readdirSync(place.root).filter(name => name.includes('out'))).toEqual([])
      expect(existsSync('/tmp/sallyport-out.js')).toBe(false)
    })
  })

  test('that is damaged anywhere is installed or refused, and leaves nothing', async () => {
    const plugins = await place.open()
    let seed = 11
    const below = (end: number): number => (seed = (seed * 16_807) % 2_147_483_647) % end
    const deep = `package${'/a'.repeat(2000)}/x`
    const more: Entry[] = [1, 2, 3].flatMap(n => [
      { path: `package/${n}.js`, content: 'x'.repeat(n * 400) },
      { path: 'package/pax', type: 'ExtendedHeader', content: `${deep.length + 11} path=${deep}\n` },
      { path: `package/${n}/x.js`, content: '' },
    ])
    const damage = (bytes: Buffer): Buffer => {
      const at = below(bytes.length)
      const added = Buffer.from(Array.from({ length: 1 + below(9) }, () => below(256)))
      const rests = [
        [],
        [added, bytes.subarray(at)],
        [added, bytes.subarray(at + added.length)],
        [bytes.subarray(at + 512)],
      ]
      return Buffer.concat([bytes.subarray(0, at), ...rests[below(4)]!])
    }
    /** As an attacker does it: the header's checksum is right. */
    const forge = (tar: Buffer): Buffer => {
      const header = tar.subarray(512 * below(tar.length / 512)).subarray(0, 512)
      for (let count = below(3); count >= 0; count--) header[below(265)] = [0, 0x80, 0xff, below(256)][below(4)]!
      header.write('        ', 148)
      header.write(
        header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0'),
        148,
      )
      return tar
    }
    for (let n = 0; n < 30; n++) {
      const good = packageOf({}, below(3) === 0 ? more : more.filter(({ type }) => !type))
      const changed = [damage(good), gzipSync(damage(gunzipSync(good))), gzipSync(forge(gunzipSync(good)))][n % 3]!
      const error = await plugins.install(save(changed)).catch((thrown: unknown) => thrown)
      if (error instanceof Error) expect(error, `case ${n}`).toMatchObject({ name: 'PluginError' })
      expect(installed().filter(name => name.startsWith('.'))).toEqual([])
    }
  })

  test('is that of its path, whatever characters are in it', async () => {
    const plugins = await place.open()
    // What an escaped path would name.
    writeFileSync(join(place.root, 'a%20%25.tgz'), packageOf({ version: '6.6.6' }))
    const file = join(place.root, 'a %.tgz')
    writeFileSync(file, packageOf())
    for (const spec of [file, pathToFileURL(file)])
      expect(await plugins.install(spec)).toMatchObject({ version: '1.2.3' })
  })

  test('is a file', async () => {
    const plugins = await place.open()
    for (const missing of [join(place.root, 'none.tgz'), './none.tgz', pathToFileURL('/none.tar.gz')]) {
      const message = expect.stringMatching(/^There is no file \/.*none\.t/)
      await expect(plugins.install(missing)).rejects.toMatchObject({ code: 'InstallFailed', message })
    }
    for (const other of [place.root, 'https://example.com/x-1.0.0.tgz'])
      await expect(plugins.install(other)).rejects.toThrow('or a file')
  })
})

describe('a registry', () => {
  let server: Server
  let registry: string
  const tarball = packageOf()
  let served = tarball
  const paths: string[] = []
  const tokens: unknown[] = []
  beforeAll(async () => {
    server = createServer(({ url = '', headers }, response) => {
      paths.push(url)
      tokens.push(headers.authorization)
      if (url.startsWith('/slow')) return void response.write(' ')
      if (url.endsWith('.tgz')) return response.end(served)
      if (!/@acme(?:%2f|\/)x/i.test(url)) return response.writeHead(404).end('{}')
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
      const dist = { tarball: `${registry}x-1.2.3.tgz`, integrity }
      const versions = { '1.2.3': { name: '@acme/x', version: '1.2.3', dist } }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name: '@acme/x', 'dist-tags': { latest: '1.2.3' }, versions }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(() => new Promise(resolve => server.close(resolve)))

  test('has the version', async () => {
    const plugins = await place.open()
    expect(await plugins.install('@acme/x@1.2.3', { registry })).toMatchObject({ label: 'acme-x', version: '1.2.3' })
    await plugins.enable('acme-x')
    expect(await place.bus.call('acme-x', 'ping')).toBe('pong')
  })

  test('reads no settings of npm, and gets no token of the user', async () => {
    const settings = `registry=http://127.0.0.1:9/\n${registry.replace('http:', '')}:_authToken=secret\n`
    const file = join(place.root, '.npmrc')
    writeFileSync(file, settings)
    for (const name of ['npm_config_userconfig', 'NPM_CONFIG_USERCONFIG']) vi.stubEnv(name, file)
    vi.stubEnv('HOME', place.root)
    vi.spyOn(process, 'cwd').mockReturnValue(place.root)
    tokens.length = 0
    const plugins = await place.open()
    expect(await plugins.install('@acme/x@1.2.3', { registry })).toMatchObject({ label: 'acme-x' })
    expect(tokens).toEqual([undefined, undefined])
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  test('is not asked for a range, a tag, or what is no name', () =>
    rows(['@acme/x@^1.0.0', '@acme/x@latest', '@acme/x@npm:evil', 'x@1', '@acme/x@01.2.3', 'X@1.2.3'])(async spec => {
      paths.length = 0
      const plugins = await place.open()
      await expect(plugins.install(spec, { registry })).rejects.toMatchObject({ code: 'InstallFailed' })
      expect(paths).toEqual([])
    }))

  test('that never ends its answer holds up nobody, until the host is closed', async () => {
    const plugins = await place.open()
    const slow = plugins.install('slow@1.0.0', { registry })
    slow.catch(() => {})
    await expect.poll(() => paths).toContain('/slow')
    await plugins.install(save(packageOf()))
    await plugins.uninstall('acme-x')
    await plugins.close()
    await expect(slow).rejects.toMatchObject({ code: 'Cancelled' })
    expect(installed()).toEqual([])
  })

  test('does not have a version, or serves another tarball than it names', async () => {
    const plugins = await place.open()
    await expect(plugins.install('@acme/x@9.9.9', { registry })).rejects.toMatchObject({ code: 'InstallFailed' })
    const login = registry.replace('//', '//me:secret@')
    await rows([
      ['none@1.0.0', /404(?!.*secret)/],
      [`${login}/x.tgz`, /^(?!.*secret).*must name one version/],
    ])((spec, text) => expect(plugins.install(spec, { registry: login })).rejects.toThrow(text))
    served = packageOf({ version: '6.6.6' })
    try {
      await expect(plugins.install('@acme/x@1.2.3', { registry })).rejects.toThrow(/integrity/)
    } finally {
      served = tarball
    }
    expect(installed()).toEqual([])
  })
})
