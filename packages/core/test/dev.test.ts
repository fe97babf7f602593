// Development: what changes on disk is loaded again, what is broken waits for its mending, and what workers print is labelled.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus, BusOptions } from '../src/index.js'
import { fixture, start } from './start.js'

vi.setConfig({ testTimeout: 60_000 })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-dev-'))
  // A package of its own, so that it finds what this one does.
  await symlink(fileURLToPath(new URL('../../bench/node_modules', import.meta.url)), join(folder, 'node_modules'))
  await write('core.mjs', `export default { commands: { version: () => 1 } }`)
  await write('main.mjs', main(1))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const main = (version: number | string): string =>
  `import { expose } from '@sallyport/frontend'\nexpose({ version: () => ${version} })\n`

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), text)
}

async function develop(options: Partial<BusOptions> = {}) {
  const bus = await start({
    core: join(folder, 'core.mjs'),
    frontends: { main: join(folder, 'main.mjs') },
    dev: true,
    ...options,
  })
  const faults: { label: string; message: string }[] = []
  bus.on('fault', ({ label, error }) => void faults.push({ label, message: error.message }))
  const client = await bus.connect('tests')
  const core = (): Promise<unknown> => client.invoke('version').catch(() => 'none')
  await expect.poll(() => versionOf(bus)).toBe(1)
  return { bus, faults, core }
}

const versionOf = (bus: Bus): Promise<unknown> => bus.call('main', 'version', {}, { timeout: 1000 }).catch(() => 'none')

test('a module that changes is loaded again, and what it shares with others too', async () => {
  const { bus, faults, core } = await develop()
  await write('main.mjs', main(2))
  await expect.poll(() => versionOf(bus)).toBe(2)
  expect((await bus.stats()).core.restarts).toBe(0)
  await write('core.mjs', `export default { commands: { version: () => 2 } }`)
  await expect.poll(core).toBe(2)
  await write('lib/shared.mjs', 'export const version = 3')
  await write('main.mjs', `import { version } from './lib/shared.mjs'\n${main('version')}`)
  await expect.poll(() => versionOf(bus)).toBe(3)
  await write('lib/shared.mjs', 'export const version = 4')
  await expect.poll(() => versionOf(bus)).toBe(4)
  await expect.poll(core).toBe(2)
  await write('later/main.mjs', main(1))
  await bus.open('later', join(folder, 'later/main.mjs'))
  await expect.poll(() => bus.call('later', 'version')).toBe(1)
  // What is opened while the bus runs is watched from a moment later on.
  const change = async (): Promise<unknown> => {
    await write('later/main.mjs', main(5))
    return bus.call('later', 'version').catch(() => 'none')
  }
  await expect.poll(change, { interval: 1000 }).toBe(5)
  expect(faults).toEqual([])
})

describe('a mistake is told with its place, and waits for its mending', () => {
  test.each(['none', 'permission', 'process'] as const)('of a frontend, sandbox: %s', async sandbox => {
    const { bus, faults } = await develop({ frontends: { main: { module: join(folder, 'main.mjs'), sandbox } } })
    await write('broken.mjs', `export const x = {\n  a: 1,\n  b b\n}\n`)
    await write('main.mjs', `import './broken.mjs'\n${main(2)}`)
    await expect
      .poll(() => faults)
      .toContainEqual({
        label: 'main',
        message: expect.stringMatching(/^Unexpected identifier.*broken\.mjs:3\)$/) as string,
      })
    await expect.poll(async () => (await bus.stats()).frontends['main']?.state).toBe('waiting')
    await write('broken.mjs', '')
    await expect.poll(() => versionOf(bus)).toBe(2)
    expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'running', restarts: 0 })
  })

  test('of core, at first and later', async () => {
    await write('core.mjs', 'export default {\n  commands: {\n')
    await expect(develop()).rejects.toThrow(/^The core module .* can’t be loaded: .*core\.mjs:\d+\)$/)
    await write('core.mjs', `export default { commands: { version: () => 1 } }`)
    const { bus, faults, core } = await develop()
    await write('core.mjs', 'export default {\n  commands: {\n')
    await expect.poll(async () => (await bus.stats()).core.state).toBe('waiting')
    expect(faults).toMatchObject([{ label: 'core', message: expect.stringMatching(/core\.mjs:\d+\)$/) as string }])
    await write('core.mjs', `export default { commands: { version: () => 2 } }`)
    await expect.poll(core).toBe(2)
    expect(await versionOf(bus)).toBe(1)
  })

  test('of core that ends while its links are made', async () => {
    const { bus, core } = await develop()
    await write(
      'core.mjs',
      `import { parentPort } from 'node:worker_threads'
      const post = parentPort.postMessage.bind(parentPort)
      parentPort.postMessage = report => (report.type === 'attached' ? process.exit(1) : post(report))
      export default { commands: {} }`,
    )
    await expect.poll(async () => (await bus.stats()).core.state).toBe('waiting')
    await write('core.mjs', `export default { commands: { version: () => 2 } }`)
    await expect.poll(core).toBe(2)
  })
})

test('the hook is loaded again as it changes', async () => {
  const hook = (answer: string): string => `window.__TAURI_ISOLATION_HOOK__ = message => ${answer}`
  await write('hook/index.html', '<script src="index.js"></script>')
  await write('hook/index.js', hook('message'))
  const { core } = await develop({
    app: {
      security: {
        pattern: { use: 'isolation', options: { dir: `${folder}/hook/` } },
        capabilities: [{ identifier: 'all', windows: ['*'], permissions: ['allow-version'] }],
      },
    },
  })
  expect(await core()).toBe(1)
  await write('hook/index.js', hook('null'))
  await expect.poll(core).toBe('none')
  await write('hook/index.js', hook('message'))
  await expect.poll(core).toBe(1)
})

test('what workers print is labelled, their stacks follow source maps, and core can be inspected', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [fileURLToPath(fixture('dev/host.mjs'))])
  const lines = stdout.trim().split('\n').toSorted()
  expect(lines).toEqual([
    '[core] core says hello',
    '[main] main says hello',
    '[trusted] trusted says hello',
    'inspected: 42',
  ])
  expect(stderr).toMatch(/\[core\] Error: mapped\n(?:\[core\] .*\n)*\[core\] .*original\.ts:2:/)
})
