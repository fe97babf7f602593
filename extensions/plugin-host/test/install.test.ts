// Installs packages: from a registry and from tarballs, which can be hostile.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Header, type HeaderData } from 'tar'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { GrantRequest } from '../src/ask.js'
import { INDEX, Place } from './start.js'
import { rows } from '../../../scripts/testing.js'

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

test('a package with the label of another plugin is refused', async () => {
  place.add('acme-x')
  const plugins = await place.open()
  await expect(plugins.install(save(packageOf()))).rejects.toMatchObject({ code: 'LabelInUse' })
  expect([await place.bus.call('acme-x', 'ping'), installed()]).toEqual(['pong', ['acme-x']])
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
    ['with a member of 10 GB', () => packageOf({}, [{ path: 'package/x', size: 10 * 2 ** 30 }]), /refused/],
    [
      'that expands without end',
      () => gzipSync(Buffer.alloc(300 * 1024 * 1024), { level: 1 }),
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

  test('does not have a version, or serves another tarball than it names', async () => {
    const plugins = await place.open()
    await expect(plugins.install('@acme/x@9.9.9', { registry })).rejects.toMatchObject({ code: 'InstallFailed' })
    await expect(plugins.install('none@1.0.0', { registry })).rejects.toThrow(/404/)
    served = packageOf({ version: '6.6.6' })
    try {
      await expect(plugins.install('@acme/x@1.2.3', { registry })).rejects.toThrow(/integrity/)
    } finally {
      served = tarball
    }
    expect(installed()).toEqual([])
  })
})
