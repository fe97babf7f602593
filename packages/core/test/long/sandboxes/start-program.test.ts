// Programs of any kind in the wall: what they can do within it, and what they cannot do outside of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LauncherUnavailable, type ProgramOptions, startProgram } from '../../../src/launchers.js'
import { rows } from '../../../../../scripts/testing.js'

const isolated = await startProgram({ command: 'true' }).then(
  program => program.exited.then(() => true),
  (error: unknown) => {
    if (error instanceof LauncherUnavailable) return false
    throw error
  },
)

const directories: string[] = []
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

function makeDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'program-')))
  directories.push(directory)
  return directory
}

async function run(options: ProgramOptions) {
  const program = await startProgram(options)
  program.stdin.end()
  const [stdout, stderr, exit] = await Promise.all([text(program.stdout), text(program.stderr), program.exited])
  return { stdout, stderr, ...exit }
}

/** Runs a script of the shell. */
const sh = (script: string, options: Omit<ProgramOptions, 'command' | 'args'> = {}) =>
  run({ ...options, command: 'sh', args: ['-c', script] })

/** Runs JavaScript as a program. */
const node = (script: string, options: Omit<ProgramOptions, 'command' | 'args'> = {}) =>
  run({ ...options, command: 'node', args: ['-e', script] })

async function listen(address: string | number): Promise<Server> {
  const server = createServer(socket => socket.end('reached'))
  servers.push(server)
  await once(server.listen(address), 'listening')
  return server
}

/** Prints what a connection receives, or the code of its error. */
const connect = (to: string): string =>
  `require('net').connect(${to}).on('data', d => console.log(String(d))).on('error', e => console.log(e.code))`

/** Returns the number of processes with an argument. */
function countProcesses(argument: string): number {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument)
    } catch {
      return false
    }
  }).length
}

describe.runIf(isolated)('in the wall', () => {
  test('a program has pipes, an exit code, its own variables and none of the host', async () => {
    const program = await startProgram({ command: 'sh', args: ['-c', 'env; cat; exit 3'], env: { SECRET: 'a b' } })
    program.stdin.end('input')
    const output = await text(program.stdout)
    expect(await program.exited).toEqual({ code: 3, signal: null, exceeded: undefined })
    expect(output).toContain('SECRET=a b\n')
    expect(output).toContain('input')
    const names = output.split('\n').flatMap(line => /^(\w+)=/.exec(line)?.[1] ?? [])
    const own = ['HOME', 'LANG', 'PATH', 'PWD', 'SECRET', 'TMPDIR', 'TZ', 'XDG_CACHE_HOME']
    expect(names.filter(name => !name.startsWith('npm_') && name !== 'SHLVL' && name !== '_').toSorted()).toEqual(own)
  })

  test('no other user of the machine can read its variables', async () => {
    const program = await startProgram({ command: 'sh', args: ['-c', 'echo up; cat'], env: { KEY: 'hidden-value' } })
    await once(program.stdout, 'data')
    const lines = readdirSync('/proc').map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
    expect(lines.filter(line => line.includes('hidden-value'))).toEqual([])
    program.kill()
    await program.exited
  })

  test('it inherits no file and no device of the host', async () => {
    const { stdout } = await sh('exec ls -l /proc/self/fd | cat')
    const opened = stdout.split('\n').flatMap(line => / -> (\/.*)/.exec(line)?.[1] ?? [])
    // The directory that `ls` reads.
    expect(opened).toEqual([expect.stringMatching(/^\/proc\/\d+\/fd$/)])
  })

  test('programs start programs, with pipes, locks, signals and Unix sockets', async () => {
    const script = `
      const { execFileSync, spawn } = require('child_process'), net = require('net'), fs = require('fs')
      console.log(execFileSync('sh', ['-c', 'echo a | tr a b']).toString().trim())
      const child = spawn('sleep', ['100']).on('exit', (c, signal) => {
        console.log(signal)
        const server = net.createServer(s => s.end('socket')).listen('/tmp/socket', () =>
          net.connect('/tmp/socket').on('data', d => (console.log(String(d)), server.close())))
      })
      child.kill()
      fs.writeFileSync('/tmp/file', ''); fs.chmodSync('/tmp/file', 0o600); fs.utimesSync('/tmp/file', 1, 1)
      console.log(fs.statSync('/tmp/file').mtimeMs)`
    expect((await node(script)).stdout.split('\n').filter(Boolean)).toEqual(['b', '1000', 'SIGTERM', 'socket'])
  })

  test('it reads what is listed, changes what may be changed, and sees nothing else', async () => {
    const directory = makeDirectory()
    for (const name of ['read', 'write', 'other']) {
      mkdirSync(join(directory, name))
      writeFileSync(join(directory, name, 'file'), name)
    }
    const options = { read: [join(directory, 'read')], write: [join(directory, 'write')] }
    const script = `cd ${directory}; ls; cat read/file write/file; echo x > read/file; chmod 700 read/file; echo new > write/file; cat other/file`
    const { stdout, stderr } = await sh(script, options)
    expect(stdout).toBe('read\nwrite\nreadwrite')
    expect(stderr).toMatch(/Read-only[^]*Read-only[^]*No such file/)
    expect(readFileSync(join(directory, 'write/file'), 'utf8')).toBe('new\n')
    expect(readFileSync(join(directory, 'read/file'), 'utf8')).toBe('read')
  })

  test('it sees no files of the host or its users, and writes to /tmp and its home alone', async () => {
    const home = makeDirectory()
    const script = `ls /; ls /home /root /var /run /sys /etc/shadow /etc/ssl/private 2>/dev/null; ls -a ${tmpdir()}
      echo 1 > $HOME/kept; for d in / /usr /etc /dev; do touch $d/x 2>/dev/null && echo wrote $d; done; pwd`
    const { stdout } = await sh(script, { home })
    const names = stdout.split('\n').filter(Boolean)
    // Node itself can be in a home directory.
    const [, top = '', next] = process.execPath.split('/')
    for (const name of ['root', 'home', 'sys'].filter(each => each !== top)) expect(names).not.toContain(name)
    const homes = await sh('ls -A /root /home 2>/dev/null; true')
    expect(homes.stdout.split('\n').filter(line => line && !line.endsWith(':') && line !== next)).toEqual([])
    expect(stdout).not.toContain('wrote')
    expect(names.at(-1)).toBe(home)
    expect(readFileSync(join(home, 'kept'), 'utf8')).toBe('1\n')
  })

  test('it has no network, unless net is true', async () => {
    const { port } = (await listen(0)).address() as { port: number }
    expect((await node(connect(`${port}, '127.0.0.1'`))).stdout).toBe('EACCES\n')
    expect((await node(connect(`${port}, '127.0.0.1'`), { net: true })).stdout).toBe('reached\n')
  })

  test('it cannot reach Unix sockets of the host: not by a path, and not by an abstract name', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'socket')
    const name = `program-${process.pid}`
    await listen(path)
    await listen(`\0${name}`)
    const abstract = connect(String.raw`'\0${name}'`)
    for (const net of [false, true]) {
      const { stdout } = await node(`${connect(`'${path}'`)};${abstract}`, { net })
      expect(stdout).toMatch(/^(E(NOENT|ACCES|CONNREFUSED)\n){2}$/)
    }
  })

  test('it cannot make namespaces, mounts or traces, or files with the rights of their owner', async () => {
    const home = makeDirectory()
    const attempts = {
      user: 'unshare --user true',
      net: 'unshare --net true',
      mount: 'mount -t tmpfs none /tmp',
      setuid: 'cp /bin/true $HOME/file && chmod 4755 $HOME/file',
      device: 'chmod 600 /dev/null',
      'first process': 'ls /proc/1/mem',
      'machine settings': 'echo 1 > /proc/sys/vm/drop_caches',
      'other processes': 'test $(ls -d /proc/[0-9]* | wc -l) -gt 8',
    }
    const script = Object.entries(attempts).map(([what, attempt]) => `(${attempt}) >/dev/null 2>&1 && echo "${what}"`)
    expect((await sh(`${script.join('\n')}\necho done`, { home })).stdout).toBe('done\n')
    expect(statSync('/dev/null').mode & 0o777).toBe(0o666)
    const { mode } = statSync(join(home, 'file'))
    expect(mode & 0o6000).toBe(0)
  })

  test('kill ends all that it has started', async () => {
    const marker = `marker-${process.pid}-kill`
    const program = await startProgram({
      command: 'sh',
      args: ['-c', `setsid sh -c 'echo started; sleep 1000; :' ${marker} & wait`],
    })
    await once(program.stdout, 'data')
    expect(countProcesses(marker)).toBeGreaterThan(0)
    program.kill()
    expect(await program.exited).toMatchObject({ code: null, signal: 'SIGKILL' })
    await expect.poll(() => countProcesses(marker)).toBe(0)
  })

  test('nothing is left when the host is killed', async () => {
    const marker = `marker-${process.pid}-host`
    const path = fileURLToPath(new URL('../../fixtures/sandboxes/program/host.mjs', import.meta.url))
    const host = spawn(process.execPath, [path, marker], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(host.stdout, 'data')
    expect(countProcesses(marker)).toBeGreaterThan(1)
    host.kill('SIGKILL')
    await expect.poll(() => countProcesses(marker)).toBe(0)
  })

  test('it is ended when it needs more memory or processes than its limits', async () => {
    const [memory, processes] = await Promise.all([
      node('const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))', { memory: 150 }),
      sh('while :; do sleep 1000 & done', { pids: 20 }),
    ])
    expect(memory.exceeded).toBe('used more memory than its limit of 150 MiB')
    expect(processes.exceeded).toBe('needed more processes and threads than its limit of 20')
  })

  test('/tmp has a limit', async () => {
    const { stderr } = await sh('head -c 3000000 /dev/urandom > /tmp/large', { tmp: 1 })
    expect(stderr).toContain('No space left')
    const { exceeded } = await sh('while :; do : > /tmp/$((i += 1)); done', { tmp: 1 })
    expect(exceeded).toMatch(/^had \d+ files in \/tmp \(limit: 2024, for 1 MiB\)$/)
  })
})

test('without a wall a program has the rights of the host, and none of its variables', async () => {
  const directory = makeDirectory()
  const options = { wall: 'none', home: directory, env: { KEY: 'value' } } as const
  const { stdout, code } = await node('console.log(process.cwd(), process.env.KEY, process.env.USER)', options)
  expect([stdout.trim(), code]).toEqual([`${directory} value undefined`, 0])
})

test.runIf(process.platform === 'linux')(
  'without a wall the output of a program that was killed waits for a slow reader',
  async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const args = ['-c', 'echo last words; exec sleep 1000']
    const { stdout, pid, kill, exited } = await startProgram({ command: 'sh', args, wall: 'none' })
    // Node drops the output of a program that has exited if it has no reader.
    const chunks = stdout[Symbol.asyncIterator]()
    await once(
      stdout.on('readable', () => {}),
      'readable',
    )
    kill()
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
    vi.advanceTimersByTime(60_000)
    await new Promise(setImmediate)
    expect(String((await chunks.next()).value)).toBe('last words\n')
    expect(await chunks.next()).toMatchObject({ done: true })
    expect(await exited).toMatchObject({ signal: 'SIGKILL' })
  },
)

test('wrong options are refused', () =>
  rows([
    [{ command: 'no-such-program' }, 'the program "no-such-program" was not found'],
    [{ command: 'true', wal: 'none' }, 'unknown option "wal"'],
    [{ command: 'true', wall: 'auto' }, 'wall must be "required" or "none"'],
    [{ command: 'true', pids: 1.5 }, 'pids must be a whole number of processes and threads, from 1'],
    [{ command: 'true', memory: '256' }, 'memory must be MiB, more than 0'],
    [{ command: 'true', memory: Number.NaN }, 'memory must be MiB, more than 0'],
    [{ command: 'true', tmp: -1 }, 'tmp must be MiB, more than 0'],
    [{ command: 'true', env: { A: 1 } }, 'env must be an object of strings'],
    [{ command: 'true', args: ['a\0b'] }, 'args must be an array of strings'],
    [{ command: 'true', read: [new URL('https://a.example')] }, 'read must be an array of paths or file URLs'],
    [{ command: 'true', wall: 'none', read: ['/none/such'] }, 'startProgram: "/none/such" cannot be read'],
    [{ command: 'true', home: 'home' }, 'home must be an absolute path'],
  ])(async (options, text) => {
    await expect(startProgram(options as ProgramOptions)).rejects.toThrow(text)
  }))

test.runIf(isolated)('what would let a program leave its wall cannot be read', () =>
  rows([
    [['relative'], 'read: must be absolute paths'],
    [['/'], 'would let the program leave its wall'],
    [['/proc/self'], 'would let the program leave its wall'],
    [['/dev/mem'], /leave its wall|cannot be read/],
    [['/none/such'], 'cannot be read'],
    [[pathToFileURL('/none/such')], 'cannot be read'],
  ])(async (read, text) => {
    await expect(startProgram({ command: 'true', read })).rejects.toThrow(text)
  }),
)

test.runIf(isolated)('a link in a listed directory leads nowhere', () =>
  rows<[option: 'read' | 'write' | 'home']>([['read'], ['write'], ['home']])(async option => {
    const [directory, outside] = [makeDirectory(), makeDirectory()]
    writeFileSync(join(outside, 'file'), 'secret')
    symlinkSync(outside, join(directory, 'link'))
    const listed = option === 'home' ? { home: directory } : { [option]: [directory] }
    const program = await startProgram({ command: 'cat', args: [join(directory, 'link/file')], ...listed })
    expect(await program.exited).toMatchObject({ code: 1 })
  }),
)

test.runIf(isolated)('a socket cannot be listed', async () => {
  const path = join(makeDirectory(), 'socket')
  await listen(path)
  await expect(startProgram({ command: 'true', write: [path] })).rejects.toThrow('must be a file or a directory')
})
