// A wrapped server of which nothing is left, whoever is killed at whatever moment; what it learns and asks; and how packages and clients take it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { Installer } from '../../src/wrap/install.js'
import { countProcesses, hasWall, makeDirectory } from '../start.js'
import { CLI, SERVER, startRegistry, startWrap } from '../wrapping.js'

const READ = ['--read', dirname(SERVER)]
const PROGRAM = ['--', 'node', SERVER]

const SEED = Number(process.env.SALLYPORT_WRAP_SEED ?? 1)
const ATTEMPTS = 100
const WAYS = ['the client', 'wrap', 'the wall', 'the input', 'the output', 'a pause'] as const

/** Numbers from 0 to 1, the same for a seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 48_271) >>> 0) % (2 ** 31 - 1) || 1
    return state / 2 ** 31
  }
}

/** Returns the processes below one, itself included. */
function getTree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return [pid, ...children.flatMap(child => getTree(Number(child)))]
}

function end(way: (typeof WAYS)[number], shell: ChildProcess): void {
  const [, wrap, ...below] = getTree(shell.pid!)
  if (way === 'the client') shell.kill('SIGKILL')
  else if (way === 'the input') shell.stdin!.end()
  else if (way === 'the output') shell.stdout!.destroy()
  else if (way === 'a pause') {
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) if (wrap !== undefined) process.kill(wrap, signal)
    shell.stdin!.end()
  } else {
    const pid = way === 'wrap' ? wrap : below[0]
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  // A client that lives on ends its connection when the server has gone.
  shell.stdin!.end()
}

describe.runIf(hasWall)('a wrapped server', () => {
  test(`leaves nothing after ${ATTEMPTS} ends at random moments (SALLYPORT_WRAP_SEED=${SEED})`, async () => {
    const random = createRandom(SEED)
    const [data, marker] = [makeDirectory(), `marker-${process.pid}-wrap`]
    const temporary = makeDirectory()
    const env = { PATH: process.env.PATH!, XDG_DATA_HOME: data, TMPDIR: temporary }
    const args = [process.execPath, CLI, 'wrap', '--read', dirname(SERVER), '--', 'node', SERVER, marker]
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const way = WAYS[Math.floor(random() * WAYS.length)]!
      const rounds = Math.floor(random() * 400)
      // The shell stands for a client, which passes its pipes on.
      const shell = spawn('/bin/sh', ['-c', '"$@"; :', 'sh', ...args], { env, stdio: ['pipe', 'pipe', 'ignore'] })
      for (const stream of [shell.stdin, shell.stdout]) stream.on('error', () => {})
      shell.stdout.resume()
      for (let id = 1; id <= 3; id++) shell.stdin.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/list"}\n`)
      // A moment of the start, the first calls or the life: turns of this thread, each of about a millisecond.
      for (let round = 0; round < rounds; round++) await new Promise(resolve => setTimeout(resolve, 1))
      end(way, shell)
      await expect.poll(() => [attempt, way, countProcesses(marker)]).toEqual([attempt, way, 0])
    }
    expect(readdirSync(temporary)).toEqual([])
  }, 600_000)
})

describe.runIf(hasWall)('a wrapped server', () => {
  test('asks its client for what --ask allows, and learns of no root that it cannot read', async () => {
    const data = makeDirectory()
    const roots = ['file:///etc', pathToFileURL(dirname(SERVER)).href].map(uri => ({ uri }))
    const start = async (args: readonly string[]) => {
      const started = await startWrap([...args, ...READ, ...PROGRAM], data, {}, { roots: {}, sampling: {} })
      started.client.setRequestHandler('roots/list', async () => ({ roots }))
      return started
    }
    const closed = await start([])
    expect(await closed.call('capabilities')).toEqual({})
    expect(await closed.call('ask', { method: 'roots/list' })).toBe('refused')
    await closed.client.close()
    expect(await closed.said).toContain('Add --ask roots --ask sampling to let it.')
    const open = await start(['--ask', 'roots'])
    expect(await open.call('capabilities')).toEqual({ roots: {} })
    expect(await open.call('ask', { method: 'roots/list' })).toEqual({ roots: [roots[1]] })
  }, 60_000)

  test('that is learned from gets nothing, and its options are printed', async () => {
    const path = join(makeDirectory(), 'a note.txt')
    writeFileSync(path, 'a note')
    const args = ['--learn', ...READ, ...PROGRAM]
    const { client, call, said } = await startWrap(args, makeDirectory(), { VARIABLE: 'a value' })
    const denied = { file: 'ENOENT', host: 403 }
    expect(await call('rights', { path, host: 'a.example' })).toMatchObject(denied)
    await client.close()
    const [options = ''] = (await said).trim().split('\n').slice(-1)
    expect(options.split(' --')).toEqual(expect.arrayContaining([`read '${path}'`, 'net a.example:80', 'env VARIABLE']))
  }, 60_000)

  test('that is learned from writes lines of any length', async () => {
    const { call, client, said } = await startWrap(['--learn', ...READ, ...PROGRAM], makeDirectory())
    const line = 'x'.repeat(2 ** 20)
    await call('say', { text: `short\n${line}\nlast\n` })
    await client.close()
    expect(await said).toMatch(/^short\n[^]*x\nlast\n/)
  }, 60_000)

  test('of npm is installed once, without a network for its scripts, and stays as it was accepted', async () => {
    const script = `import { connect } from 'node:net'
      connect(1, '127.0.0.1').on('error', ({ code }) => { if (code === 'ECONNREFUSED') process.exit(1) })
      import('node:fs').then(({ writeFileSync }) => writeFileSync('built', ''))`
    const files = (text: string) => ({
      'script.mjs': script,
      'server.mjs': `#!/usr/bin/env node\nprocess.env.DESCRIPTION = ${JSON.stringify(text)}; await import(${JSON.stringify(SERVER)})`,
    })
    const registry = await startRegistry('a-server', { '1.0.0': files('A tool'), '1.1.0': files('Another tool') })
    const data = makeDirectory()
    const way = { npm_config_proxy: registry.url, npm_config_cafile: '/missing/ca.pem' }
    const env = { npm_config_registry: 'http://registry.example', ...way }
    const start = (spec: string) => startWrap([...READ, '--', 'npx', '-y', spec], data, env)
    const first = await start('a-server@1.0.0')
    expect(await first.call('none')).toBe('ran')
    await first.client.close()
    const lock = JSON.parse(readFileSync(join(data, 'sallyport/mcp/a-server/lock.json'), 'utf8'))
    const locked = lock.wrapped['a-server'].lock.packages['node_modules/a-server']
    expect(locked).toMatchObject({ version: '1.0.0', integrity: expect.stringMatching(/^sha512-/) })
    await expect(start('a-server')).rejects.toThrow(
      /The package differs from the accepted one.\n- a-server@1.0.0\n- node_modules\/a-server 1.0.0 sha512-.*\n\+ a-server\n\+ node_modules\/a-server 1.1.0/,
    )
    registry.close()
    const again = await start('a-server@1.0.0')
    expect((await again.client.listTools()).tools[0]!.description).toBe('A tool')
  }, 120_000)
})

describe.runIf(hasWall)('a package', () => {
  test('whose install script leaves links reads and changes nothing that they lead to', async () => {
    const note = join(makeDirectory(), 'note.txt')
    writeFileSync(note, 'a note')
    const script = `import fs from 'node:fs'
      if (fs.existsSync('../../package.json')) for (const [place, file] of [['../../package.json', ${JSON.stringify(note)}], ['../../package-lock.json', ${JSON.stringify(note)}], ['package.json', '/dev/zero']]) {
        fs.rmSync(place, { force: true })
        fs.symlinkSync(file, place)
      }
      process.exit(1)`
    const registry = await startRegistry('a-server', { '1.0.0': { 'script.mjs': script, 'server.mjs': '' } })
    const [data, env] = [makeDirectory(), { npm_config_registry: registry.url }]
    for (let attempt = 0; attempt < 2; attempt++) {
      const started = startWrap(['--', 'npx', '-y', 'a-server'], data, env)
      await expect(started).rejects.toThrow()
    }
    expect(readFileSync(note, 'utf8')).toBe('a note')
  }, 240_000)

  test('of git chooses no program that npm runs', async () => {
    const directory = makeDirectory()
    const server = createServer(({ url = '' }, response) => {
      const file = join(directory, url.replace(/\?.*/, ''))
      if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file))
      else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => server.close().closeAllConnections())
    const spec = `git+http://127.0.0.1:${(server.address() as AddressInfo).port}/.git`
    const scripts = { prepare: 'true' }
    const manifest = { name: 'a-server', version: '1.0.0', bin: 'run', scripts, devDependencies: { other: spec } }
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(directory, '.npmrc'), 'git=./run\n')
    writeFileSync(join(directory, 'run'), '#!/bin/sh\n: >"$HOME/ran"; exec git "$@"\n', { mode: 0o755 })
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@a.example']
    for (const args of [['init', '-q'], ['add', '.'], [...who, 'commit', '-qm', 'a'], ['update-server-info']])
      execFileSync('git', args, { cwd: directory })
    const data = makeDirectory()
    const installer = new Installer(data, { wall: 'required', net: false })
    await installer.install(await installer.resolve(spec), undefined)
    expect(readdirSync(join(data, 'npm'))).not.toContain('ran')
  }, 240_000)
})

test('SDK 1 and SDK 2 clients see the same of a server and of its wrap', async () => {
  const packages = join(
    dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')),
  )
  const program = [join(packages, 'dist/index.js')]
  const own = createRequire(join(packages, 'package.json'))
  const [older, olderStdio] = await Promise.all([
    import(own.resolve('@modelcontextprotocol/sdk/client/index.js')),
    import(own.resolve('@modelcontextprotocol/sdk/client/stdio.js')),
  ])
  const env = { ...(process.env as Record<string, string>), XDG_DATA_HOME: makeDirectory() }
  const look = async (Sdk: typeof Client, Transport: typeof StdioClientTransport, args: string[]) => {
    const client = new Sdk({ name: 'test', version: '1' }, { capabilities: {} })
    onTestFinished(() => client.close())
    await client.connect(new Transport({ command: process.execPath, args, env, stderr: 'ignore' }))
    const progress: unknown[] = []
    const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } }
    const options = { onprogress: (value: unknown) => void progress.push(value) }
    const call = (params: typeof long, more: object) =>
      Sdk === Client ? client.callTool(params, more) : (client as any).callTool(params, undefined, more)
    const cancelling = new AbortController()
    const cancelled = call({ ...long, arguments: { duration: 600, steps: 1 } }, { signal: cancelling.signal })
    cancelling.abort('enough')
    const end = await cancelled.catch((error: Error) => error.message)
    return {
      ...{ server: client.getServerVersion(), capabilities: client.getServerCapabilities() },
      ...{ instructions: client.getInstructions(), tools: (await client.listTools()).tools },
      ...{ resources: await client.listResources(), prompts: await client.listPrompts() },
      // The SDKs can lose the last one, which comes with the result.
      ...{ result: await call(long, options), progress: progress[0] },
      wrong: await client.callTool({ name: 'get-sum', arguments: { a: 'x' } }),
      end,
    }
  }
  await rows([
    ['2', Client, StdioClientTransport],
    ['1', older.Client as typeof Client, olderStdio.StdioClientTransport as typeof StdioClientTransport],
  ])(async (_, Sdk, Transport) => {
    const wrapped = [CLI, 'wrap', '--wall', 'none', '--', process.execPath, ...program]
    const [direct, through] = [await look(Sdk, Transport, program), await look(Sdk, Transport, wrapped)]
    for (const [part, seen] of Object.entries(direct)) expect(through, part).toHaveProperty(part, seen)
  })
}, 120_000)
