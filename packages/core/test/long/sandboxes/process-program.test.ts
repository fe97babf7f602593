// A process has one copy of `@sallyport/frontend`: that of its program, however its code imports it.
import { cpSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/index.js'
import { writeProject } from '../../support/project.js'
import { reuseBus } from '../../support/start.js'
import { choose } from '../../../../../scripts/testing.js'

const getBus = reuseBus({ supervision: { restart: 'temporary' } })
const frontend = fileURLToPath(new URL('../..', import.meta.resolve('@sallyport/frontend')))
const protocol = fileURLToPath(new URL('../..', import.meta.resolve('@sallyport/protocol/internal/wire')))

/** Sends a channel to core, whose class must be that of the program, and imports the package in other ways. */
const CODE = `
import * as imported from '@sallyport/frontend'
import { createRequire } from 'node:module'
const { Channel, expose, invoke, isBusError } = imported
const required = createRequire(import.meta.filename ?? new URL('main.mjs', import.meta.url))('@sallyport/frontend')
const { installTauri } = await import('@sallyport/frontend/tauri')
const shared = globalThis[Symbol.for('@sallyport/frontend:exports')]
async function count() {
  const counted = []
  const channel = new Channel(value => counted.push(value))
  await invoke('count', { to: 2, channel })
  return counted
}
expose({
  async get() {
    const thrown = await invoke('unknown').catch(error => error)
    return {
      same: Object.keys(imported).filter(name => imported[name] === required[name]).length,
      isShared: shared('.').Channel === Channel && shared('./tauri').installTauri === installTauri,
      isError: isBusError(thrown),
      ...(shared('.').Channel === Channel && { counted: await count(), isOfClass: thrown instanceof imported.BusError }),
      hasTauri: '__TAURI_INTERNALS__' in globalThis,
      names: Object.keys(imported).length,
    }
  },
})`

const SHARED = { isShared: true, isError: true, isOfClass: true, hasTauri: true, counted: [0, 1] }

async function get(source: URL | string, sandbox: Sandbox): Promise<Record<string, unknown>> {
  const bus = await getBus()
  const module = typeof source === 'string' ? { source } : source
  await bus.open('main', module, { sandbox, allow: ['count'] })
  return bus.call('main', 'get')
}

/** Returns a module next to an installed copy of the package. */
function installCopy(): { module: URL; copy: string } {
  const root = writeProject({ 'package.json': {}, 'main.mjs': CODE, 'node_modules/@sallyport/x': '' })
  const copy = join(root, 'node_modules/@sallyport/frontend')
  for (const path of ['package.json', 'dist/bundle'])
    cpSync(join(frontend, path), join(copy, path), { recursive: true })
  symlinkSync(realpathSync(protocol), join(root, 'node_modules/@sallyport/protocol'))
  return { module: pathToFileURL(join(root, 'main.mjs')), copy }
}

describe.each(choose(['none', 'auto'] as const))('wall: %s', wall => {
  const sandbox = { kind: 'process', wall } as const

  test('code as text has the exports of the program', async () => {
    const { same, names, ...rest } = await get(
      CODE.replace(/^const required.*$/m, 'const required = imported'),
      sandbox,
    )
    expect(rest).toEqual(SHARED)
    expect(same).toBe(names)
  })

  test('a plugin with a copy of the package has the exports of the program, by import and require', async () => {
    const { same, names, ...rest } = await get(installCopy().module, sandbox)
    expect(rest).toEqual(SHARED)
    expect(same).toBe(names)
  })

  test('a copy of a version with other exports is loaded for itself, and works', async () => {
    const { module, copy } = installCopy()
    const facade = join(copy, 'dist/bundle/index.process.js')
    writeFileSync(facade, readFileSync(facade, 'utf8').replace('["BusError"', '["added", "BusError"'))
    expect(await get(module, sandbox)).toMatchObject({ isShared: false, isError: true, hasTauri: true })
  })
})

test('the files of the package for a process have all of its exports', async () => {
  const files = (name: string): Promise<object> =>
    import(new URL(name, import.meta.resolve('@sallyport/frontend')).href)
  for (const name of ['index', 'tauri']) {
    const exports = Object.keys(await files(`./${name}.js`))
    expect(Object.keys(await files(`./${name}.process.js`))).toEqual(exports)
    expect(exports.length).toBeGreaterThan(0)
  }
})
