// The launcher for ssh that the guide shows, over a stand-in for ssh and a directory in the place of the other machine's.
import { chmodSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Launcher } from '../../../src/launchers.js'
import { isRunning } from '../../support/processes.js'
import { fixture, start } from '../../support/start.js'

const root = new URL('../../../../../', import.meta.url)
const PLUGIN = `
  import { expose, invoke } from '@sallyport/frontend'
  import { readFileSync } from 'node:fs'
  expose({
    add: args => invoke('add', args),
    list: () => Object.keys(process.env),
    read: ({ path }) => readFileSync(path, 'utf8'),
    pid: () => process.pid,
    spin() {
      process.title = 'another'
      for (;;) {}
    },
  })
`

describe.runIf(process.platform === 'linux')('ssh as the guide shows it', () => {
  let other: string
  let wall: Launcher
  beforeAll(async () => {
    other = realpathSync(mkdtempSync(join(tmpdir(), 'other-')))
    for (const name of ['frontend', 'protocol'])
      for (const part of ['package.json', 'dist/bundle'])
        cpSync(new URL(`packages/${name}/${part}`, root), join(other, 'node_modules/@sallyport', name, part), {
          recursive: true,
        })
    writeFileSync(join(other, 'plugin.mjs'), PLUGIN)
    const ssh = join(other, 'ssh')
    const script = readFileSync(fixture('sandboxes/ssh.sh'), 'utf8').replaceAll('$NODE', process.execPath)
    writeFileSync(ssh, script)
    chmodSync(ssh, 0o755)
    const page = readFileSync(new URL('docs/guide/choose-a-sandbox.md', root), 'utf8')
    const [, code] = /```js\n(\/\/ ssh-launcher\.mjs\n[^]*?)```/.exec(page)!
    const file = join(other, 'ssh-launcher.mjs')
    writeFileSync(file, code!.replaceAll('/usr/bin/ssh', ssh).replaceAll('/srv/plugins', other))
    wall = ((await import(String(pathToFileURL(file)))) as { launcher: Launcher }).launcher
  })
  afterAll(() => rmSync(other, { recursive: true, force: true }))

  const open = async () => {
    const lines: string[] = []
    const bus = await start({ core: fixture('core.mjs') })
    const source = `import ${JSON.stringify(String(pathToFileURL(join(other, 'plugin.mjs'))))}`
    await bus.open(
      'main',
      { source },
      {
        ...{ sandbox: { kind: 'process', wall }, allow: '*', supervision: { restart: 'temporary' } },
        onStdio: text => void lines.push(text),
      },
    )
    return { bus, lines }
  }

  test('a plugin that only the other machine has calls, has no variables of a login, and reads nothing else', async () => {
    const { bus, lines } = await open()
    expect(await bus.call('main', 'add', { a: 1, b: 2 })).toBe(3)
    expect(await bus.call('main', 'list')).not.toContain('LOGIN_SECRET')
    await expect(bus.call('main', 'read', { path: fileURLToPath(import.meta.url) })).rejects.toThrow(
      'The sandbox denied',
    )
    expect(lines.join('')).toContain('Welcome to the other machine')
  })

  test('each process ends with its own launch, also one that spins', async () => {
    const [first, second] = [await open(), await open()]
    const [spins, calls] = await Promise.all([first, second].map(({ bus }) => bus.call<number>('main', 'pid')))
    const spinning = first.bus.call('main', 'spin', undefined, { timeout: false }).catch(() => {})
    await first.bus.close({ timeout: 0 })
    await spinning
    await expect.poll(() => isRunning(spins!)).toBe(false)
    expect(isRunning(calls!)).toBe(true)
    expect(await second.bus.call('main', 'add', { a: 1, b: 2 })).toBe(3)
    await second.bus.close()
    await expect.poll(() => isRunning(calls!)).toBe(false)
  })
})
