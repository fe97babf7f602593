// A plugin's process on Deno: what it may do, its limits, how it ends, and what its denials say.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findDependency } from '../../../../process/src/launchers/deno.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { findProgram } from '../../../../process/src/launchers/programs.js'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import type { Bus, BusEvents, FrontendOptions } from '../../../src/index.js'
import { bubblewrap, deno, type Launcher } from '../../../src/launchers.js'
import { writeProject } from '../../support/project.js'
import { fixture, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const program = findDependency(fileURLToPath(import.meta.url))
const hasBubblewrap = (await findWall()).launcher?.name === 'bubblewrap'
const isLinux = process.platform === 'linux'

describe.runIf(program)('a process on Deno', () => {
  let wall: Launcher
  beforeAll(async () => void (wall = await deno({ deno: program! })))

  const open = async (name: string, sandbox: Partial<ProcessSandbox> = {}, options: Partial<FrontendOptions> = {}) => {
    const bus = await start({ core: fixture('core.mjs') })
    const supervision = { restart: 'temporary' as const, heartbeat: 60_000 }
    const module = fixture(`sandboxes/${name}.mjs`)
    await bus.open('main', module, { supervision, sandbox: { kind: 'process', wall, ...sandbox }, ...options })
    return bus
  }
  const run = (bus: Bus, how: string, value: string) => bus.call<unknown>('main', how, { value })
  const nextFault = (bus: Bus): Promise<BusEvents['fault']> => new Promise(resolve => bus.on('fault', resolve))

  test('knows nothing of the user, the host and its network, and has an empty environment', async () => {
    const bus = await open('walled')
    expect(bus.frontends()).toMatchObject([{ label: 'main', wall: 'deno' }])
    expect(await bus.call('main', 'listVariables')).toEqual(['TZ'])
    expect(await bus.call('main', 'ask')).toEqual({ home: '/nonexistent', user: 'nobody', interfaces: {} })
  })

  test('ends for the reason that the host reports', () =>
    rows<[how: string, message: string, sandbox?: Partial<ProcessSandbox>]>([
      ['exit', 'frontend "main" exited with code 3'],
      ['abort', 'frontend "main" was terminated by SIGABRT'],
      ['throw', 'uncaught'],
      ['reject', 'unhandled'],
      ['heap', 'frontend "main" ran out of memory', { resourceLimits: { maxOldGenerationSizeMb: 50 } }],
      ...(isLinux
        ? [
            ['memory', 'frontend "main" used more memory than its limit of 200 MiB', { memory: 200 }] as [
              string,
              string,
              Partial<ProcessSandbox>,
            ],
          ]
        : []),
    ])(async (how, message, sandbox) => {
      const bus = await open('ends', sandbox, { allow: '*' })
      const fault = nextFault(bus)
      await expect(bus.call('main', 'ends', { how })).rejects.toMatchObject({ reason: 'Disconnected' })
      expect((await fault).error.message).toBe(message)
    }))

  test('what it prints is its output, whatever it prints with', async () => {
    const printed: string[] = []
    const onStdio: FrontendOptions['onStdio'] = (text, { stream }) => void (stream === 'stdout' && printed.push(text))
    const bus = await open('output/ways', {}, { onStdio })
    await bus.call('main', 'print')
    await expect.poll(() => printed.join('')).toBe('by console\nby stream\nby number\n')
    printed.length = 0
    await bus.call('main', 'printOnDeno')
    await expect.poll(() => printed.join('')).toBe('by Deno\nby Deno\nby Deno\nat last\n')
  })

  test('code in it reads nothing of its pipe, and its denials have the code of Node', async () => {
    const bus = await open('deno-ways')
    await rows([
      ['readSync', null],
      ['readOfClass', null],
      ['read', null],
      ['stream', true],
      ['socket', 'ERR_ACCESS_DENIED'],
      ['handle', 'ERR_ACCESS_DENIED'],
      ['file', 'ERR_ACCESS_DENIED'],
    ])(async (way, answer) => expect(await bus.call('main', 'attempt', { way })).toEqual(answer))
    expect(await bus.call('main', 'print')).toBe(13)
  })

  test('it reads the packages of other projects, as documented, so what is required is another wall', async () => {
    const other = writeProject({ 'node_modules/.cache/a.json': '{"token":"abc"}' })
    const path = join(other, 'node_modules/.cache/a.json')
    const bus = await open('deno-ways')
    // Deno can close this one day: then it can rank higher again.
    expect(await bus.call('main', 'require', { path })).toEqual({ token: 'abc' })
  })

  test('a missing package has the text of Node, which advises no command of Deno', async () => {
    const directory = writeProject({
      'package.json': { type: 'module', dependencies: { listed: '1' } },
      ...{ 'new.js': `import 'missing'`, 'listed.js': `import 'listed'`, 'inner.js': `import 'inner'` },
      'node_modules/inner/package.json': { type: 'module', main: 'main.js' },
      'node_modules/inner/main.js': `import 'missing'`,
      'own.js': `import '@sallyport/core'`,
      'sub.js': `import '@a/missing/sub.js'`,
      'like.js': `throw new Error('x at file://remote/a:1:1')`,
    })
    const bus = await start()
    await rows([
      ['new.js', `Cannot find package 'missing' imported from ${join(directory, 'new.js')}`],
      ['listed.js', `Cannot find package 'listed' imported from ${join(directory, 'listed.js')}`],
      ['inner.js', `Cannot find package 'missing' imported from ${join(directory, 'node_modules/inner/main.js')}`],
      [
        'own.js',
        "A frontend cannot import @sallyport/core, which is for the host. Import from '@sallyport/frontend' instead",
      ],
      ['sub.js', `Cannot find package '@a/missing' imported from ${join(directory, 'sub.js')}`],
      ['like.js', 'x at file://remote/a:1:1'],
    ])(async (name, message) => {
      const opened = bus.open('main', pathToFileURL(join(directory, name)), { sandbox: { kind: 'process', wall } })
      await expect(opened).rejects.toMatchObject({ reason: 'LoadFailed', message })
    })
    const main = await open('denied')
    await expect(run(main, 'load', 'missing')).rejects.toThrow(/^Cannot find package 'missing'$/)
  })

  test('it has no WASI, which would write to the pipe of the process itself', async () => {
    const bus = await open('output/ways')
    await expect(bus.call('main', 'startWasi')).rejects.toThrow("WASI is not available in a frontend's sandbox")
    expect(await bus.call('main', 'print')).toBeNull()
  })

  test('refuses what it cannot do by name', async () => {
    const main = { source: 'export {}', directory: fixture('sandboxes/') }
    const bus = await start()
    const process = { kind: 'process', wall } as const
    await rows<
      [location: Parameters<Bus['open']>[1], sandbox: NonNullable<FrontendOptions['sandbox']>, message: string]
    >([
      [
        main,
        process,
        'deno runs neither code as text nor scripts. Use a file below a directory whose node_modules has @sallyport/frontend, or another wall',
      ],
      [main, { kind: 'quickjs', process: true, wall }, 'deno runs neither code as text nor scripts'],
      [fixture('main.mjs'), { ...process, tmp: 1 }, 'tmp must be left out: the launcher "deno" does not limit it'],
    ])((location, sandbox, message) => expect(bus.open('main', location, { sandbox })).rejects.toThrow(message))
  })

  test.runIf(hasBubblewrap)('that only the application has does not stop code that it does not run', async () => {
    const hidden = ['bwrap', 'setpriv'].flatMap(name => ['--ro-bind', '/dev/null', findProgram(name)!])
    const host = fileURLToPath(fixture('sandboxes/text-host.mjs'))
    const args = ['--dev-bind', '/', '/', ...hidden, process.execPath, host]
    const { stdout } = await promisify(execFile)(findProgram('bwrap')!, args)
    const refused = expect.stringMatching(
      /must not be "required": .*; deno runs neither code as text nor scripts/,
    ) as string
    const weak = expect.stringMatching(/must not be "required": .*; deno works here, but /) as string
    expect(JSON.parse(stdout)).toEqual({
      ...{ 'a file, auto': 'deno', 'text, auto': 'none', 'a script, auto': 'none' },
      ...{ 'a file, required': weak, 'text, required': refused, 'a script, required': refused },
      warned: true,
    })
  })

  describe('with files and a network', () => {
    let directory: string
    const server = createServer((request, response) => {
      if (request.url === '/moved') return void response.writeHead(302, { location: '/text' }).end()
      const text = gzipSync(`${request.method} ${String(request.headers['x-key'])}`)
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(text)
    })
    let origin: string
    beforeAll(async () => {
      directory = realpathSync(mkdtempSync(join(tmpdir(), 'deno-')))
      writeFileSync(join(directory, 'secret'), 'text')
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    afterAll(() => {
      rmSync(directory, { recursive: true })
      server.close().closeAllConnections()
    })

    test('a denial names what was denied and the option that allows it', async () => {
      const bus = await open('denied')
      await rows([
        ['read', join(directory, 'secret'), `read: ["${join(directory, 'secret')}"]`],
        ['load', String(pathToFileURL(join(directory, 'a.mjs'))), `read: ["${join(directory, 'a.mjs')}"]`],
        ['write', '/etc/none/a', 'write: ["/etc/none"]'],
        ['write', join(tmpdir(), 'a'), 'add write: ['],
        ['fetch', origin, 'net: true'],
        ['command', '/bin/true', 'The sandbox denied run of /bin/true'],
        ['command', 'ls', 'The sandbox denied run of ls'],
        ['createSocket', 'udp4', "dgram.createSocket is not available in a frontend's sandbox"],
      ])((how, value, message) => expect(run(bus, how, value)).rejects.toThrow(message))
    })

    test('it starts no program and no worker, also by functions and classes that it imports by name', async () => {
      const bus = await open('denied')
      const programs = ['start', 'exec', 'execFile', 'fork', 'execSync', 'execFileSync', 'spawnSync']
      const workers = ['startThread', 'startThreadOfModule', 'startWorker', 'startOtherWorker']
      await rows<string[]>([
        ...programs.flatMap(how => ['/bin/true', 'ls'].map(value => [how, value, 'The sandbox denied ChildProcess.'])),
        ...workers.map(how => [how, '1', 'The sandbox denied WorkerThreads.']),
        ['startWorkerAgain', '1', 'not extensible'],
      ])((how, value, message) => expect(run(bus, how!, value!)).rejects.toThrow(message))
    })

    test('it writes to the directories of "write", and not beside them', async () => {
      const bus = await open('denied', { write: [pathToFileURL(directory)] })
      await run(bus, 'write', join(directory, 'written'))
      expect(readFileSync(join(directory, 'written'), 'utf8')).toBe('text')
      await expect(run(bus, 'write', `${directory}/../beside`)).rejects.toThrow('The sandbox denied')
    })

    test('it fetches from the hosts of "net" alone, also behind a redirect', async () => {
      const { host } = new URL(origin)
      const bus = await open('denied', { net: [host] })
      // The first ones come at once.
      const answers = await Promise.all([1, 2, 3].map(() => run(bus, 'fetch', `${origin}/moved`)))
      const answer = { status: 200, text: 'GET key', url: `${origin}/text`, redirected: true }
      expect(answers).toEqual([answer, answer, answer])
      await expect(run(bus, 'fetch', 'http://127.0.0.1:9/')).rejects.toThrow(
        'The sandbox denied the network to 127.0.0.1:9',
      )
      expect(await run(await open('denied', { net: true }), 'fetch', origin)).toMatchObject({ text: 'GET key' })
    })
  })

  test.runIf(hasBubblewrap)('in bubblewrap it reads no package of another project', async () => {
    const other = writeProject({ 'node_modules/.cache/a.json': '{"token":"abc"}' })
    const bus = await open('deno-ways', { wall: await deno({ deno: program!, inside: await bubblewrap() }) })
    const read = bus.call('main', 'require', { path: join(other, 'node_modules/.cache/a.json') })
    await expect(read).rejects.toThrow(/Cannot find module|denied|MODULE_NOT_FOUND/)
  })

  test.runIf(hasBubblewrap)('in bubblewrap it has the limits of that too', async () => {
    const bus = await open('walled', { wall: await deno({ deno: program!, inside: await bubblewrap() }), tmp: 2 })
    expect(bus.frontends()).toMatchObject([{ wall: 'deno in bubblewrap' }])
    expect(await bus.call('main', 'fill', { bytes: 2 ** 20 })).toBe('written')
    expect(await bus.call('main', 'fill', { bytes: 3 * 2 ** 20 })).toBe('ENOSPC')
  })
})
