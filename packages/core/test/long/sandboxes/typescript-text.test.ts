// TypeScript as text: types are removed where the host's Node can, and all else keeps its place.
import { expect, test } from 'vitest'
import type { ModuleSource, Sandbox } from '../../../src/index.js'
import { reuseBus } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const getBus = reuseBus({ supervision: { restart: 'temporary' } })
const sandboxes = choose(['quickjs', 'permission', 'process'] as const, 0, -1)

async function get(module: ModuleSource, sandbox: Sandbox): Promise<unknown> {
  const bus = await getBus()
  await bus.open('main', module, { sandbox })
  const result = await bus.call('main', 'get')
  await bus.closeFrontend('main')
  return result
}

test('a module whose name is that of TypeScript, and code that says so, have no types when they run', () =>
  rows(sandboxes)(async sandbox => {
    const source = `import { expose } from '@sallyport/frontend'
      interface Note { title: string }
      const first = <T>(list: readonly T[]): T | undefined => list[0]
      expose({ get: () => first<Note>([{ title: 'a' } satisfies Note])!.title as string })`
    expect(await get({ source, name: 'main.ts' }, sandbox)).toBe('a')
    const code = `const { a, b } = args as { a: number; b: number }\nreturn a + b`
    const bus = await getBus()
    expect(await bus.run(code, { sandbox, language: 'typescript', args: { a: 1, b: 2 } })).toBe(3)
  }))

test('errors have the places of the source', () =>
  rows(sandboxes)(async sandbox => {
    const bus = await getBus()
    const code = 'const a: Record<string, number> = {}; throw new Error(typeof a)'
    const options = { sandbox, language: 'typescript', report: true } as const
    expect(await bus.run(code, options)).toMatchObject({
      error: { message: 'object', line: 1, column: sandbox === 'quickjs' ? 62 : 45 },
    })
    expect(await bus.run('const a: number = 1\nlet b: c d', options)).toMatchObject({
      error: { reason: 'LoadFailed', line: 2, column: 10 },
    })
    await expect(bus.run('enum A { B }', { sandbox, language: 'typescript' })).rejects.toMatchObject({
      reason: 'LoadFailed',
      message: expect.stringMatching(/run\.ts:1:1: .*TypeScript enum is not supported/) as string,
    })
  }))

test('a module that is passed by name can be TypeScript', async () => {
  const modules = { 'sum.ts': 'export const sum = (a: number, b: number): number => a + b' }
  const source = `import { sum } from './sum.ts'\nsallyport.expose({ get: () => sum(1, 2) })`
  expect(await get({ source, modules }, 'quickjs')).toBe(3)
  await expect(get({ source, modules: { 'sum.ts': '\nenum A {}' } }, 'quickjs')).rejects.toThrow(/sum\.ts:2:1: /)
})

/** Some short code occupies Node's parser of types for ever, and some breaks it for all that follows in its thread. */
const endless = `let q: 1; x = ${'async <T>(a='.repeat(60)}b${')'.repeat(60)}`
const breaking = `let q: 1; return ${'('.repeat(20_000)}1${')'.repeat(20_000)}`

test('code whose types cannot be removed ends alone', async () => {
  const bus = await getBus()
  await bus.open(
    'neighbor',
    { source: `sallyport.expose({ get: () => 1 })`, name: 'neighbor.js' },
    { sandbox: 'quickjs' },
  )
  const typed = { language: 'typescript' } as const
  await expect(bus.run(endless, { ...typed, timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
  await bus.run(breaking, typed).catch(() => {})
  expect(await bus.run('const a: number = 1; return a', typed)).toBe(1)
  expect(await bus.call('neighbor', 'get')).toBe(1)
  expect(bus.frontends().find(({ label }) => label === 'neighbor')).toMatchObject({ restarts: 0, state: 'running' })
})

test('another language is refused', async () => {
  const bus = await getBus()
  await expect(bus.run('', { language: 'coffee' as 'typescript' })).rejects.toThrow(
    'bus.run: language must be "javascript" or "typescript": got "coffee"',
  )
})
