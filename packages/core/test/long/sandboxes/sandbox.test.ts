// The sandboxes `permission` and `process`: code in the frontend tries each way out.
import { createBus, isCommandError, type Bus } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as threads from 'node:worker_threads'
import { pino } from 'pino'
import { afterEach, describe, expect, test, afterAll, beforeAll } from 'vitest'
import type { Sandbox } from '../../../src/index.js'
import { writeProject } from '../../support/project.js'
import { everyCommand, fixture, isolation, next, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const home = process.cwd()
afterEach(() => process.chdir(home))

const major = Number(process.versions.node.split('.')[0])

const denied = 'ERR_ACCESS_DENIED'
const expected: Record<string, unknown> = {
  'a MessagePort': 'undefined',
  addon: 'ERR_DLOPEN_DISABLED',
  workerData: 'null',
  'global BroadcastChannel': 'undefined',
  'locks of threads': 'undefined',
  'locks of navigator': 'undefined',
  postMessageToThread: 'postMessageToThread' in threads ? denied : 'undefined',
  'node:sqlite': major >= 22 ? denied : 'ERR_UNKNOWN_BUILTIN_MODULE',
  'bytecode by a replaced Reflect.construct': 'undefined',
  'bytecode of a function, by a getter': 'undefined',
  'bytecode of a function, inherited': 'undefined',
  'bytecode of a module': 'undefined',
  'compile cache': 'undefined',
  'a summary of v8.queryObjects': 'number',
  'pipe by a replaced Function.prototype.call': 'undefined',
  'a script': 'number',
  'a function': 'function',
  'read own directory': 'object',
  'read by descriptor': 'undefined',
  'read by a stream': 'undefined',
  'promisified read': 'number',
}

function logInto(lines: Record<string, unknown>[]) {
  return pino(
    { level: 'info' },
    { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  )
}

describe.each(
  choose(
    [
      ['permission', 'brownfield', {}],
      ['permission', 'isolation', isolation('judge', {}, everyCommand)],
      ['process', 'brownfield', {}],
      ['process', 'isolation', isolation('judge', {}, everyCommand)],
    ] as const,
    1,
    -1,
  ),
)('sandbox: %s, %s', (sandbox, _name, app) => {
  test('denies every way out', async () => {
    const lines: Record<string, unknown>[] = []
    const frontends = { main: { module: fixture('sandboxes/probes.mjs'), sandbox } }
    const bus = await start({ ...app, frontends, log: logInto(lines) })
    const { outcomes, env } = await next<{ outcomes: Record<string, unknown>; env: string[] }>(bus, 'probed')
    const all = Object.fromEntries(Object.keys(outcomes).map(name => [name, expected[name] ?? denied]))
    if (sandbox === 'permission') all['traces to a file'] = 'ERR_TRACE_EVENTS_UNAVAILABLE'
    expect(outcomes).toEqual(all)
    expect(env).toEqual(sandbox === 'process' ? ['TZ'] : [])
    const written = () =>
      lines.filter(({ worker }) => worker === 'frontend').map(({ level, label, msg }) => [level, label, msg])
    await expect.poll(written).toEqual([
      [30, 'main', 'a line for the log'],
      [40, 'main', 'a warning'],
      [40, 'main', 'of two lines'],
    ])
  })
})

/** Emits which of the files in its data it can read, and imports a package. */
const reader = `
import { emit, getData } from '@sallyport/frontend'
import dep from 'dep'
import { readFileSync } from 'node:fs'
const can = file => { try { return readFileSync(file, 'utf8') } catch ({ code }) { return code } }
await emit('read', { dep, read: Object.fromEntries(Object.entries(getData()).map(([name, file]) => [name, can(file)])) })
`

function writeReader() {
  const directory = writeProject({
    'app/package.json': { type: 'module' },
    'app/src/front/main.js': reader,
    'app/src/front/outside.js': `import '../../../secrets/key.js'`,
    'app/src/front/sibling.txt': 'sibling',
    'app/src/frontier/near.txt': 'near',
    'app/node_modules/dep/package.json': { name: 'dep', type: 'module', exports: './index.js' },
    'app/node_modules/dep/index.js': `export { default } from 'deeper'`,
    'app/node_modules/dep/node_modules/deeper/package.json': { name: 'deeper', main: 'index.cjs' },
    'app/node_modules/dep/node_modules/deeper/index.cjs': `module.exports = 'of a package'`,
    'app/node_modules/@sallyport/.keep': '',
    'secrets/key.txt': 'secret',
    'secrets/key.js': '',
    'public/open.txt': 'open',
    'empty/.keep': '',
  })
  const linked = new URL('../../../../frontend', import.meta.url)
  symlinkSync(linked, join(directory, 'app/node_modules/@sallyport/frontend'), 'dir')
  symlinkSync(join(directory, 'app'), join(directory, 'link'), 'dir')
  return (path: string): string => join(directory, path)
}

async function read(file: (path: string) => string, sandbox: Sandbox, module = 'app/src/front/main.js') {
  const lines: Record<string, unknown>[] = []
  const bus = await start({ capabilities: [], log: logInto(lines) })
  const data = {
    sibling: file('app/src/front/sibling.txt'),
    near: file('app/src/frontier/near.txt'),
    secret: file('secrets/key.txt'),
    open: file('public/open.txt'),
  }
  const result = Promise.race([
    next<{ dep: string; read: Record<string, string> }>(bus, 'read'),
    new Promise<never>((_resolve, reject) => bus.on('fault', ({ error }) => reject(error))),
  ])
  result.catch(() => {})
  await bus.open('main', pathToFileURL(file(module)), { data, sandbox })
  return { ...(await result), lines }
}

const nothing = { near: denied, secret: denied, open: denied }

test('standard input is empty', async () => {
  const bus = await start()
  await rows(['permission', 'process'] as const)(async sandbox => {
    const source = `
    import { expose } from '@sallyport/frontend'
    import process, { stdin } from 'node:process'
    import { text } from 'node:stream/consumers'
    expose({ read: async () => [await text(stdin), process.stdin === stdin, stdin.isTTY] })
  `
    await bus.open(sandbox, { source, name: 'main.js' }, { sandbox })
    expect(await bus.call(sandbox, 'read')).toEqual(['', true, null])
  })
})

describe('a frontend', () => {
  test('reads the directory of its module and its packages, and nothing else', async () => {
    const file = writeReader()
    process.chdir(file('empty'))
    expect(await read(file, 'permission')).toMatchObject({
      dep: 'of a package',
      read: { sibling: 'sibling', ...nothing },
    })
    expect(await read(file, 'permission', 'link/src/front/main.js')).toMatchObject({ dep: 'of a package' })
  })

  test('reads the same in a process with any working directory', async () => {
    const file = writeReader()
    process.chdir(file('secrets'))
    expect(await read(file, 'process', 'link/src/front/main.js')).toMatchObject({
      dep: 'of a package',
      read: { sibling: 'sibling', ...nothing },
    })
  })

  test('reads additional grants', () =>
    rows(['permission', 'process'] as const)(async kind => {
      const file = writeReader()
      process.chdir(file('empty'))
      const more = {
        kind,
        read: [file('public'), pathToFileURL(file('app/src/frontier/near.txt'))],
      }
      expect((await read(file, more)).read).toEqual({ sibling: 'sibling', near: 'near', secret: denied, open: 'open' })
    }))

  test('outside of each project has the copy of the host, and files beside it', () =>
    rows(['permission', 'process'] as const)(async kind => {
      const directory = writeProject({
        'main.mjs': `
        import { expose } from '@sallyport/frontend'
        import { value } from './beside.mjs'
        expose({ read: () => [value, import.meta.filename] })`,
        'beside.mjs': `export const value = 'beside'`,
        'other.mjs': `import './inner.mjs'`,
        'inner.mjs': `import '@sallyport/frontend'`,
      })
      const open = (name: string) => bus.open(name, pathToFileURL(join(directory, `${name}.mjs`)), { sandbox: kind })
      const bus = await start()
      await open('main')
      expect(await bus.call('main', 'read')).toEqual(['beside', realpathSync(join(directory, 'main.mjs'))])
      writeFileSync(
        join(directory, 'main.mjs'),
        `import { expose } from '@sallyport/frontend'; expose({ read: () => 2 })`,
      )
      await bus.reload('main')
      expect(await bus.call('main', 'read')).toBe(2)
      await expect(open('other')).rejects.toThrow('inner.mjs. Import it in the main module alone')
    }))

  test('does not start with a grant for what does not exist, at first or later', () =>
    rows(['permission', 'process'] as const)(async kind => {
      const directory = writeProject({ 'main.js': '', 'public/open.txt': '' })
      const [module, path] = [pathToFileURL(join(directory, 'main.js')), join(directory, 'public')]
      const sandbox = { kind, read: [module, path] }
      const bus = await start()
      await bus.open('main', module, { sandbox })
      await bus.closeFrontend('main')
      rmSync(path, { recursive: true })
      const refusal = `sandbox.read must list files and directories that exist: ${JSON.stringify(path)} cannot be read. Make it`
      await expect(bus.open('main', module, { sandbox })).rejects.toThrow(refusal)
    }))

  test('reads the directory of its package', () =>
    rows(['permission', 'process'] as const)(async kind => {
      const directory = writeProject({
        'secret.txt': 'secret',
        'plugins/x/package.json': { type: 'module' },
        'plugins/x/assets/t.txt': 'an asset',
        'plugins/x/dist/main.js': `
        const { readFileSync } = process.getBuiltinModule('node:fs')
        const read = place => { try { return readFileSync(new URL(place, import.meta.url), 'utf8') } catch ({ code }) { return code } }
        throw new Error(['../assets/t.txt', '../../../secret.txt'].map(read).join())
      `,
      })
      const bus = await start()
      const opened = bus.open('main', pathToFileURL(join(directory, 'plugins/x/dist/main.js')), { sandbox: kind })
      await expect(opened).rejects.toThrow(`an asset,${denied}`)
    }))

  test('reads what links lead to only where that is granted, and finds its other packages', () =>
    rows<[kind: 'permission' | 'process', isGranted: boolean]>([
      ['permission', false],
      ['process', false],
      ['permission', true],
      ['process', true],
    ])(async (kind, isGranted) => {
      const directory = writeProject({
        'server/package.json': { name: '@acme/server', main: 'main.cjs' },
        'server/main.cjs': `module.exports = 'of a workspace'`,
        'node_modules/above/package.json': { main: 'main.cjs' },
        'node_modules/above/main.cjs': `module.exports = 'of above'`,
        'app/node_modules/@acme/.keep': '',
        'app/src/main.mjs': `
        import { readFileSync } from 'node:fs'
        import { createRequire } from 'node:module'
        const require = createRequire(import.meta.url)
        const read = name => readFileSync(new URL(name, import.meta.url), 'utf8')
        const attempt = f => { try { return f() } catch ({ code }) { return code } }
        const files = ['../node_modules/@acme/server/main.cjs', 'server/main.cjs', 'self/server/main.cjs'].map(name => attempt(() => read(name)).slice(-18))
        throw new Error([...files, ...['@acme/server', 'above', 'missing'].map(name => attempt(() => require(name)))].join())`,
      })
      symlinkSync('../../../server', join(directory, 'app/node_modules/@acme/server'), 'dir')
      symlinkSync('../../server', join(directory, 'app/src/server'), 'dir')
      symlinkSync('.', join(directory, 'app/src/self'), 'dir')
      const read = isGranted ? [join(directory, 'server')] : []
      const bus = await start()
      const opened = bus.open('main', pathToFileURL(join(directory, 'app/src/main.mjs')), { sandbox: { kind, read } })
      const found = isGranted
        ? `${"= 'of a workspace',".repeat(3)}of a workspace,of above,MODULE_NOT_FOUND`
        : expect.stringMatching(
            /^((ERR_ACCESS_DENIED|ENOENT),){3}(ERR_ACCESS_DENIED|MODULE_NOT_FOUND),of above,MODULE_NOT_FOUND/,
          )
      await expect(opened.catch((error: Error) => error.message.replace(/^.*?module: /, ''))).resolves.toEqual(found)
    }))

  test('cannot read the working directory', () =>
    rows(['secrets', 'app', '.', '/'])(async cwd => {
      const file = writeReader()
      process.chdir(cwd === '/' ? cwd : file(cwd))
      const { read: got, lines } = await read(file, 'permission')
      expect(got).toEqual({ sibling: 'sibling', ...nothing })
      // Those of this repository's own packages are left out.
      expect(lines.filter(line => !('links' in line))).toEqual([])
    }))

  test('fails to import another module, with an error that names it', () =>
    rows(['permission', 'process'] as const)(async kind => {
      const file = writeReader()
      const message = expect.stringMatching(/denied FileSystemRead of .*key\.js\. Allow it: add read: /) as string
      await expect(read(file, kind, 'app/src/front/outside.js')).rejects.toMatchObject({ message })
    }))

  test.skipIf(process.platform === 'win32')('does not start with a grant that contains an asterisk', async () => {
    const file = writeReader()
    mkdirSync(file('a*b'))
    const asterisk = read(file, { kind: 'permission', read: [file('a*b')] })
    await expect(asterisk).rejects.toMatchObject({ message: expect.stringMatching(/asterisk/) })
  })
})

test('flags and loaders of the host do not apply', async () => {
  const plugin = `import { expose } from '@sallyport/frontend'
    expose({ flags: () => [globalThis.isLoaded ?? false, process.env.A_VARIABLE ?? 'none'] })`
  const program = `
    import { createBus, defineCore } from ${JSON.stringify(import.meta.resolve('@sallyport/core'))}
    const bus = await createBus({ core: defineCore({}), log: false })
    const flags = [globalThis.isLoaded]
    for (const sandbox of ['permission', 'process']) {
      await bus.open(sandbox, { source: ${JSON.stringify(plugin)}, name: 'main.js' }, { sandbox })
      flags.push(await bus.call(sandbox, 'flags'))
    }
    console.log(JSON.stringify(flags))
    await bus.close()`
  const args = ['--import', 'data:text/javascript,globalThis.isLoaded = true', '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, A_VARIABLE: 'set' } })
  expect(JSON.parse(stdout)).toEqual([true, [false, 'none'], [false, 'none']])
})

test('a process starts in an empty directory', async () => {
  const bus = await start()
  const source = `import { expose } from '@sallyport/frontend'
    expose({ cwd: () => process.cwd() })`
  await bus.open('main', { source, name: 'main.js' }, { sandbox: { kind: 'process', wall: 'none' } })
  const directory = await bus.call<string>('main', 'cwd')
  expect(directory).not.toBe(process.cwd())
  expect(readdirSync(directory)).toEqual([])
})

test('names a wrong option', async () => {
  const bus = await start()
  await rows([
    [{ sandbox: 'proces' }, /sandbox must be "none", "permission"/],
    [{ sandbox: { kind: 'proces' } }, /sandbox\.kind must be "permission", "process" or "quickjs"/],
    [
      { sandbox: { kind: 'process', group: 'a' } },
      /unknown option "sandbox\.group" with kind: "process": use .+, or another kind$/,
    ],
    [
      { sandbox: { kind: 'quickjs', read: [] } },
      /unknown option "sandbox\.read" with kind: "quickjs": use .+, or another kind$/,
    ],
    [{ sandbox: { kind: 'process', cpu: 0 } }, /sandbox\.cpu must be a share of one core, more than 0: got 0/],
    [{ sandbox: { kind: 'process', pids: 1.5 } }, /sandbox\.pids must be a whole number of .*, from 1: got 1\.5/],
    [{ sandbox: { kind: 'quickjs', group: '' } }, /sandbox\.group must be a name: got ""/],
    [{ sandbox: { kind: 'permission', reads: [] } }, /unknown option "sandbox\.reads" \(did you mean "read"/],
    [{ sandbox: { kind: 'permission', read: ['here'] } }, /sandbox\.read\[0\] must be a file: URL or an absolute path/],
    [{ permissions: ['greet'] }, /^bus\.open: unknown option "permissions": use allow$/],
    [
      { allow: [{ identifier: 'greet' }] },
      /^bus\.open: unknown option "allow\[0\]\.identifier": use permission, allow, deny$/,
    ],
  ])(async (options, message) => {
    await expect(bus.open('main', fixture('main.mjs'), options as object)).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
    })
  })
})

test('an error about the sandbox of a connection names the correct place', async () => {
  const bus = await start()
  await expect(bus.connect('tests', { sandbox: 'permission' } as object)).rejects.toMatchObject({
    message: expect.stringMatching(/it belongs at frontends\.<label>\.sandbox/) as string,
  })
})

const hasWall = (await findWall()).launcher !== undefined

// Denials of a sandbox after the module has loaded: the error names the option that allows it.
describe('denials after the module has loaded', () => {
  const file = '/sallyport/denied'
  const isDeniedByNode = process.allowedNodeEnvironmentFlags.has('--allow-net')

  describe.each(['permission', 'process'] as const)('%s', kind => {
    const hasNetwork = !isDeniedByNode && (kind === 'permission' || !hasWall)
    const noOption = "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."
    const allow = (option: string) => `Allow it: add ${option} to the frontend's sandbox, { kind: '${kind}', … }.`
    const denials: [action: string, text: string][] = [
      ['read', `The sandbox denied FileSystemRead of ${file}. ${allow(`read: ["${file}"]`)}`],
      [
        'write',
        `The sandbox denied FileSystemWrite of ${file}. ${kind === 'process' ? allow('write: ["/sallyport"]') : noOption}`,
      ],
      ['spawn', noOption],
      ['fetch', hasNetwork ? 'fetch failed' : `fetch failed: The sandbox denied the network. ${allow('net: true')}`],
    ]
    const open = (label: string) =>
      bus.open(label, fixture('permissions/denied.mjs'), {
        sandbox: kind,
        data: { file, url: 'http://127.0.0.1:65535/' },
      })
    let bus: Bus
    beforeAll(async () => {
      bus = await createBus({ core: fixture('core.mjs'), log: false, supervision: { restart: 'temporary' } })
      await open('main')
    })
    afterAll(() => bus.close({ timeout: 0 }))

    test('a rejected call and a fault name the option', () =>
      rows(denials)(async (action, text) => {
        const error: unknown = await bus.call('main', 'call', { action }).catch((error: unknown) => error)
        expect(error).toMatchObject({ message: expect.stringContaining(text) as string })
        expect(isCommandError(error, 'ERR_ACCESS_DENIED')).toBe(action !== 'fetch' || !hasNetwork)
        await open(action)
        const fault = new Promise<Error>(resolve =>
          bus.on('fault', ({ label, error }) => void (label === action && resolve(error))),
        )
        // The fault can come before the answer.
        bus.call(action, 'uncaught', { action }).catch(() => {})
        const { message, stack } = await fault
        expect(message).toContain(text)
        expect(stack).toContain(text)
      }))
  })
})
