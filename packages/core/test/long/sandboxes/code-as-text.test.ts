// Frontends whose module is text: the same code in each sandbox, and what a module has in addition to a script.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { BusOptions, FrontendOptions, ModuleSource, RunOptions, Sandbox } from '../../../src/index.js'
import { writeProject } from '../../support/project.js'
import { fixture, isolation, next, reuseBus, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const sandboxes = ['quickjs', 'permission', 'process'] as const
const getBus = reuseBus({ supervision: { restart: 'temporary' } })

/** Opens the code, and returns what its function `get` returns. */
async function get(module: ModuleSource, sandbox: Sandbox, options: FrontendOptions = {}): Promise<unknown> {
  const bus = await getBus()
  await bus.open('main', module, { sandbox, ...options })
  try {
    return await bus.call('main', 'get')
  } finally {
    await bus.closeFrontend('main')
  }
}

const exposing = (get: string, imports = ''): string =>
  `${imports}import { expose } from '@sallyport/frontend'\nexpose({ get: ${get} })`

describe.each(choose(sandboxes))('sandbox: %s', sandbox => {
  test('code imports @sallyport/frontend, and calls what it is allowed to', async () => {
    const source = exposing(
      `() => call('add', { a: 1, b: 2 })`,
      `import { invoke as call } from '@sallyport/frontend'\n`,
    )
    expect(await get({ source }, sandbox, { allow: ['add'] })).toBe(3)
  })

  test('a byte order mark and a line that names an interpreter are ignored', async () => {
    const source = `\uFEFF#!/usr/bin/env node\n${exposing(`() => '</script>'`)}`
    expect(await get({ source }, sandbox)).toBe('</script>')
  })

  test('code of 15 MB runs', async () => {
    expect(await get({ source: `${exposing('() => 1')}\n//${'x'.repeat(15e6)}` }, sandbox)).toBe(1)
  })

  test('bus.reload runs the same code in a new sandbox', async () => {
    const bus = await getBus()
    const source = `import { expose } from '@sallyport/frontend'\nlet n = 0\nexpose({ count: () => ++n })`
    await bus.open('main', { source }, { sandbox })
    expect([await bus.call('main', 'count'), await bus.call('main', 'count')]).toEqual([1, 2])
    await bus.reload('main')
    expect(await bus.call('main', 'count')).toBe(1)
  })

  test('createBus takes code, with the isolation pattern too', async () => {
    const frontends: BusOptions['frontends'] = { main: { module: { source: exposing('() => 1') }, sandbox } }
    const bus = await start({ frontends, ...isolation('judge') })
    expect(await bus.call('main', 'get')).toBe(1)
  })
})

/** One with QuickJS, and one with V8. */
const engines = choose(sandboxes, 0, -1)

test('a syntax error has the position in the code', () =>
  rows([
    ['const a = 1\n\n  let b c = 3', 'x.js:3:9'],
    ['let b c = 3', 'x.js:1:7'],
    [`import { expose } from '@sallyport/frontend'\nexpose({ get: () => { let b c } })`, 'x.js:2:29'],
  ])(async (source, position) => {
    for (const sandbox of engines) {
      const text = sandbox === 'quickjs' ? "expecting ';'" : "Unexpected identifier 'c'"
      const message = expect.stringMatching(new RegExp(`${position}: .*: ${text}`)) as string
      await expect(get({ source, name: 'x.js' }, sandbox)).rejects.toMatchObject({ reason: 'LoadFailed', message })
    }
  }))

test('a run of code that cannot be compiled says where, in each kind of sandbox', () =>
  rows<NonNullable<RunOptions['sandbox']>>([
    ...sandboxes,
    { kind: 'quickjs', process: true },
    { kind: 'quickjs', perProcess: 2 },
  ])(async sandbox => {
    const message = expect.stringMatching(/run\.js:1:11: syntax error/) as string
    await expect((await getBus()).run('const a = ;', { sandbox })).rejects.toMatchObject({
      reason: 'LoadFailed',
      message,
    })
  }))

test('the stack of an error has the name and the position', () =>
  rows(engines)(async sandbox => {
    const source = `import { expose } from '@sallyport/frontend'; null.x`
    await expect(get({ source, name: 'x.js' }, sandbox)).rejects.toMatchObject({
      message:
        sandbox === 'quickjs' ? "cannot read property 'x' of null" : "Cannot read properties of null (reading 'x')",
      stack: expect.stringMatching(sandbox === 'quickjs' ? /x\.js:1:46/ : /x\.js:1:52/) as string,
    })
  }))

const dependency = {
  'node_modules/dep/package.json': { type: 'module', exports: { import: './module.js', require: './none.cjs' } },
  'node_modules/dep/module.js': `export default 'dep'`,
}

describe.each(choose(['permission', 'process'] as const))('a module in sandbox: %s', sandbox => {
  test('cannot take the classes of modules, which accept bytecode, from the instances of its own', async () => {
    const imported = `
      globalThis.found = []
      const { set } = Map.prototype
      Map.prototype.set = function (key, value) {
        for (let each = value; each?.link; each = Object.getPrototypeOf(each)) {
          if (!Object.hasOwn(each, 'evaluate')) continue
          const { evaluate } = each
          each.evaluate = function (...args) {
            const parts = [this, ...Object.getOwnPropertySymbols(this).map(key => this[key])]
            found.push(...parts.flatMap(part => part?.constructor?.name ?? []))
            return evaluate.apply(this, args)
          }
        }
        return set.call(this, key, value)
      }`
    const url = `data:text/javascript,${encodeURIComponent(imported)}`
    const names = await get({ source: exposing('() => found', `import ${JSON.stringify(url)}\n`) }, sandbox)
    expect(names).toContain('Object')
    expect(names).not.toEqual(expect.arrayContaining([expect.stringContaining('Module')]))
  })

  test('imports what is in its directory, and packages of the directory', async () => {
    const project = writeProject({
      'plugins/package.json': { type: 'module' },
      'plugins/helper.js': `export const helper = 'helper'`,
      'plugins/data.json': { json: true },
      ...dependency,
    })
    const source = `import { expose } from '@sallyport/frontend'
      import { helper } from './helper.js'
      import dep from 'dep'
      import data from './data.json' with { type: 'json' }
      import { sep } from 'node:path'
      const name = './helper'
      export default expose({
        get: async () => [helper, dep, data, sep.length, (await import(name + '.js')).helper, import.meta],
      })`
    const directory = join(project, 'plugins')
    const meta = {
      url: pathToFileURL(join(directory, 'x y.js')).href,
      filename: join(directory, 'x y.js'),
      dirname: directory,
    }
    const result = await get({ source, name: 'x y.js', directory }, sandbox)
    expect(result).toEqual(['helper', 'dep', { json: true }, 1, 'helper', meta])
  })

  test('imports nothing outside of its directory', async () => {
    const project = writeProject({ 'secret.js': 'export default 1', 'plugins/package.json': { type: 'module' } })
    const source = `import '../secret.js'`
    await expect(get({ source, directory: join(project, 'plugins') }, sandbox)).rejects.toThrow(
      `The sandbox denied FileSystemRead of ${join(project, 'secret.js')}.`,
    )
  })

  test('without a directory, it imports nothing', () =>
    rows([`import './x.js'`, `await import('./x.js')`, `import 'dep'`])(async source => {
      await expect(get({ source, name: 'x.js' }, sandbox)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringMatching(
          /^Frontend module x\.js cannot import ".*": it has no directory\. Set /,
        ) as string,
      })
    }))

  test('evaluates its imports in order, and each once', async () => {
    const directory = writeProject({
      'package.json': { type: 'module' },
      'a.js': `await new Promise(resolve => setTimeout(resolve, 20)); (globalThis.order ??= []).push('a')`,
      'b.js': `(globalThis.order ??= []).push('b')`,
    })
    const imports = `import './a.js'\nimport './b.js'\nimport {} from './a.js'\n`
    expect(await get({ source: exposing('() => order', imports), directory }, sandbox)).toEqual(['a', 'b'])
  })

  test('has the other entries of @sallyport/frontend', async () => {
    const imports = `import '@sallyport/frontend/tauri'\n`
    expect(await get({ source: exposing('() => typeof __TAURI_INTERNALS__', imports) }, sandbox)).toBe('object')
  })

  test('has no way out of its sandbox that a file has not', async () => {
    const bus = await getBus()
    const probe = async (module: URL | ModuleSource): Promise<unknown> => {
      const probed = next<{ outcomes: object; env: string[] }>(bus, 'probed')
      await bus.open('main', module, { sandbox })
      const result = await probed
      await bus.closeFrontend('main')
      return result
    }
    const source = `import './probes.mjs'`
    const asText = await probe({ source, directory: fixture('sandboxes/') })
    expect(asText).toEqual(await probe(fixture('sandboxes/probes.mjs')))
  })
})

describe('a script', () => {
  test('can import the client anywhere', () =>
    rows([
      [`let a\nimport { expose } from '@sallyport/frontend'\nexport const b = 1; expose({ get: () => b })`, 1],
      [`import * as s from '@sallyport/frontend'\ns.expose({ get: () => s.getLabel() })`, 'main'],
      [
        `// a comment\n/* another */ import {\n  expose, // comment\n  getLabel as label,\n} from "@sallyport/frontend";expose({ get: label })`,
        'main',
      ],
      [`import '@sallyport/frontend'\nsallyport.expose({ get: () => 1 })`, 1],
      [
        `sallyport.expose({ get: () => "import { x } from '@sallyport/frontend'" })`,
        "import { x } from '@sallyport/frontend'",
      ],
    ])(async (source, result) => {
      expect(await get({ source }, 'quickjs')).toBe(result)
    }))
})

describe('bus.open refuses', () => {
  test('what is no code', () =>
    rows<[module: unknown, sandbox: Sandbox, text: string]>([
      [{ source: '' }, 'none', 'bus.open: sandbox must not be "none" for code as text.'],
      [{ source: 1 }, 'quickjs', 'bus.open: module: source must be a string: got 1'],
      [{ name: 'x.js' }, 'quickjs', 'bus.open: module: source'],
      [
        { source: '', name: '../x.js' },
        'quickjs',
        'bus.open: module: name must be the name of a file, without a directory',
      ],
      [{ source: '', name: '' }, 'quickjs', 'bus.open: module: name must be the name of a file, without a directory'],
      [
        { source: '', directory: 'plugins' },
        'quickjs',
        'bus.open: module: directory must be a file: URL or an absolute path',
      ],
      [{ source: '', directory: '/none' }, 'permission', 'bus.open: module: there is no directory /none/'],
    ])(async (module, sandbox, text) => {
      await expect(get(module as ModuleSource, sandbox)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringContaining(text) as string,
      })
    }))
})

test('bus.open refuses code of more than 16 Mi characters', async () => {
  const source = 'x'.repeat(2 ** 24 + 1)
  await expect(get({ source }, 'quickjs')).rejects.toThrow(
    'bus.open: module: source must be at most 16777216 characters',
  )
})

test('in development, a change in its directory reloads a module', async () => {
  const directory = writeProject({ 'package.json': { type: 'module' }, 'helper.js': `export const version = 1` })
  const source = `import { emit } from '@sallyport/frontend'\nimport { version } from './helper.js'\nemit('loaded', version)`
  const bus = await start({ dev: true })
  const loaded = next(bus, 'loaded')
  await bus.open('main', { source, directory })
  expect(await loaded).toBe(1)
  const reloaded = next(bus, 'loaded')
  writeFileSync(join(directory, 'helper.js'), 'export const version = 2')
  expect(await reloaded).toBe(2)
})
