// Development mode: workers reload when their files change, a broken worker waits for a fix, and output is labelled.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus, BusOptions } from '../../../src/index.js'
import { fixture, next, start } from '../../support/start.js'
import { choose } from '../../../../../scripts/testing.js'

vi.setConfig({ testTimeout: 60_000 })

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-dev-'))
  // The directory is a package of its own and needs the same dependencies.
  const packages = new URL('../../../../bench/node_modules/@sallyport/', import.meta.url)
  await mkdir(join(directory, 'node_modules/@sallyport'), { recursive: true })
  for (const name of await readdir(packages))
    await symlink(await realpath(new URL(name, packages)), join(directory, 'node_modules/@sallyport', name))
  await write('core.mjs', `export default { commands: { version: () => 1 } }`)
  await write('main.mjs', main(1))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const main = (version: number | string): string =>
  `import { expose } from '@sallyport/frontend'\nexpose({ version: () => ${version} })\n`

/** Renames a complete file into place: a reload at that moment must not load half of it, which is a fault. */
async function write(name: string, text: string): Promise<void> {
  const file = join(directory, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.tmp`, text)
  await rename(`${file}.tmp`, file)
}

async function develop(options: Partial<BusOptions> = {}) {
  const bus = await start({
    core: join(directory, 'core.mjs'),
    frontends: { main: join(directory, 'main.mjs') },
    dev: true,
    ...options,
  })
  const faults: { label: string; message: string }[] = []
  bus.on('fault', ({ label, error }) => void faults.push({ label, message: error.message }))
  const client = await bus.connect('tests')
  const core = (): Promise<unknown> => client.invoke('version').catch(() => 'none')
  await expect.poll(() => getVersion(bus)).toBe(1)
  return { bus, faults, core }
}

const getVersion = (bus: Bus): Promise<unknown> =>
  bus.call('main', 'version', {}, { timeout: 60_000 }).catch(() => 'none')

test('reloads a worker when its module or a shared module changes', async () => {
  const { bus, faults, core } = await develop()
  await write('main.mjs', main(2))
  await expect.poll(() => getVersion(bus)).toBe(2)
  expect((await bus.stats()).core.restarts).toBe(0)
  await write('core.mjs', `export default { commands: { version: () => 2 } }`)
  await expect.poll(core).toBe(2)
  await write('lib/shared.mjs', 'export const version = 3')
  await write('main.mjs', `import { version } from './lib/shared.mjs'\n${main('version')}`)
  await expect.poll(() => getVersion(bus)).toBe(3)
  await write('lib/shared.mjs', 'export const version = 4')
  await expect.poll(() => getVersion(bus)).toBe(4)
  await expect.poll(core).toBe(2)
  await write('later/main.mjs', main(1))
  await bus.open('later', join(directory, 'later/main.mjs'))
  await expect.poll(() => bus.call('later', 'version')).toBe(1)
  // A frontend that is opened later is watched a moment after it was opened.
  let tries = 0
  const change = async (): Promise<unknown> => {
    if (tries++ % 20 === 0) await write('later/main.mjs', main(5))
    return bus.call('later', 'version').catch(() => 'none')
  }
  await expect.poll(change).toBe(5)
  expect(faults).toEqual([])
})

describe('reports a syntax error with its location, and waits for a fix', () => {
  test.each(choose(['none', 'permission', 'process'] as const))('in a frontend with sandbox %s', async sandbox => {
    const { bus, faults } = await develop({ frontends: { main: { module: join(directory, 'main.mjs'), sandbox } } })
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
    await expect.poll(() => getVersion(bus)).toBe(2)
    expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'running', restarts: 0 })
  })

  test('in core, at the first start and later', async () => {
    await write('core.mjs', 'export default {\n  commands: {\n')
    await expect(develop()).rejects.toThrow(/^The core module .* could not be loaded: .*core\.mjs:\d+\)$/)
    await write('core.mjs', `export default { commands: { version: () => 1 } }`)
    const { bus, faults, core } = await develop()
    await write('core.mjs', 'export default {\n  commands: {\n')
    await expect.poll(async () => (await bus.stats()).core.state).toBe('waiting')
    expect(faults).toMatchObject([{ label: 'core', message: expect.stringMatching(/core\.mjs:\d+\)$/) as string }])
    await write('core.mjs', `export default { commands: { version: () => 2 } }`)
    await expect.poll(core).toBe(2)
    expect(await getVersion(bus)).toBe(1)
  })

  test('in a core that exits while links are attached', async () => {
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

test('a reload that cannot end does not delay the reloads of later changes', async () => {
  const module = join(directory, 'main.mjs')
  const { bus, core } = await develop({ frontends: { main: { module, loadTimeout: 600_000 } } })
  const hangs = next(bus, 'hangs')
  await write('main.mjs', `import { emit } from '@sallyport/frontend'\nemit('hangs')\nawait new Promise(() => {})`)
  await hangs
  await write('core.mjs', 'export default {')
  await expect.poll(async () => (await bus.stats()).core.state).toBe('waiting')
  await write('main.mjs', main(3))
  await write('core.mjs', `export default { commands: { version: () => 2 } }`)
  await expect.poll(core).toBe(2)
  await expect.poll(() => getVersion(bus)).toBe(3)
})

test('a frontend in a process waits for a core that starts slowly', async () => {
  const frontends = { main: { module: join(directory, 'main.mjs'), sandbox: 'process' as const } }
  const { bus, faults, core } = await develop({ frontends })
  const sleep = 'await new Promise(resolve => setTimeout(resolve, 1500))'
  await write('core.mjs', `${sleep}\nexport default { commands: { version: () => 2 } }`)
  await expect.poll(core).toBe(2)
  await expect.poll(() => getVersion(bus)).toBe(1)
  expect(faults).toEqual([])
})

test('reloads the hook when it changes', async () => {
  const hook = (answer: string): string => `window.__TAURI_ISOLATION_HOOK__ = message => ${answer}`
  await write('hook/index.html', '<script src="index.js"></script>')
  await write('hook/index.js', hook('message'))
  const { core } = await develop({
    isolation: { dir: `${directory}/hook/` },
    capabilities: [{ identifier: 'all', windows: ['*'], permissions: ['allow-version'] }],
  })
  expect(await core()).toBe(1)
  await write('hook/index.js', hook('null'))
  await expect.poll(core).toBe('none')
  await write('hook/index.js', hook('message'))
  await expect.poll(core).toBe(1)
})

test('reloads a script of a group alone, and a process that shares its relay', async () => {
  const script = (version: number): string =>
    `let calls = 0\nsallyport.expose({ version: () => ${version}, count: () => ++calls })\n`
  await write('one.js', script(1))
  await write('two.js', script(1))
  await write('other/main.mjs', main(1))
  const sandbox = { kind: 'quickjs', group: 'scripts' } as const
  const process = { kind: 'process', wall: 'none' } as const
  const { bus, faults } = await develop({
    frontends: {
      main: { module: join(directory, 'main.mjs'), sandbox: process },
      other: { module: join(directory, 'other/main.mjs'), sandbox: process },
      one: { module: join(directory, 'one.js'), sandbox },
      two: { module: join(directory, 'two.js'), sandbox },
    },
  })
  const version = (label: string): Promise<unknown> => bus.call(label, 'version').catch(() => 'none')
  for (const label of ['one', 'two']) expect(await bus.call(label, 'count')).toBe(1)
  await write('one.js', script(2))
  await expect.poll(() => version('one')).toBe(2)
  await write('other/main.mjs', main(2))
  await expect.poll(() => version('other')).toBe(2)
  expect(await bus.call('two', 'count')).toBe(2)
  await write('one.js', '}')
  await expect.poll(() => faults.map(({ label }) => label)).toEqual(['one'])
  await write('one.js', script(3))
  await expect.poll(() => version('one')).toBe(3)
  expect(await bus.call('two', 'count')).toBe(3)
  expect(await version('main')).toBe(1)
})

test('reloads the hook of each gate of a shared thread when it changes', async () => {
  const hook = (answer: string): string => `window.__TAURI_ISOLATION_HOOK__ = message => ${answer}`
  await write('hook/index.html', '<script src="index.js"></script>')
  await write('hook/index.js', hook('message'))
  const { bus, faults } = await develop({
    isolation: { dir: join(directory, 'hook/'), gates: 1 },
    capabilities: [{ identifier: 'all', windows: ['*'], permissions: ['allow-version'] }],
  })
  const [first, second] = [await bus.connect('first'), await bus.connect('second')]
  const call = (): Promise<unknown[]> =>
    Promise.all([first, second].map(client => client.invoke('version').catch(() => 'none')))
  await expect.poll(call).toEqual([1, 1])
  await write('hook/index.js', hook('null'))
  await expect.poll(call).toEqual(['none', 'none'])
  await write('hook/index.js', hook('message'))
  await expect.poll(call).toEqual([1, 1])
  expect(faults).toEqual([])
})

test('labels the output of workers, applies source maps to stacks, and lets core be inspected', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [fileURLToPath(fixture('host/dev/host.mjs'))])
  expect(stdout).toBe('inspected: 42\n')
  const lines = stderr.split('\n')
  expect(lines).toContain('[core] core says hello')
  expect(lines).toContain('[main] main says hello')
  expect(lines).toContain('[trusted] trusted says hello')
  expect(stderr).toMatch(/\[core\]! Error: mapped\n(?:\[core\]! .*\n)*\[core\]! .*original\.ts:2:/)
})
