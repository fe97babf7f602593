// Options of `bus.describe`: declarations for a model, a search, and a limit.
import { spawnSync } from 'node:child_process'
import type { DescribeOptions } from '../../src/host/describe-commands.js'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Bus, command, defineCore } from '../../src/index.js'
import { writeProject } from '../support/project.js'
import { start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const TSC = fileURLToPath(new URL('../../../../node_modules/typescript/bin/tsc', import.meta.url))
const HOSTILE = '*/ export const evil = 1 /*\n */ "\u2028`${1}`'

async function startAgent(): Promise<Bus> {
  const note = z.object({ text: z.string(), 'kind-of': z.enum(['a', 'b']).optional() })
  const core = defineCore({
    commands: {
      read_note: command(
        { description: 'Reads a note\nby its name', args: z.object({ name: z.string() }), result: note },
        () => ({
          text: '',
        }),
      ),
      lines: command({ description: 'Streams LINES of a note' }, async function* () {
        yield 1
      }),
      other: () => 1,
      hidden: () => 1,
    },
  })
  const bus = await start({ core })
  await bus.addPlugin({
    name: 'web',
    commands: {
      fetch_page: command({ description: HOSTILE, args: z.object({ url: z.string().describe(HOSTILE) }) }, () => 1),
    },
  })
  const permissions = ['allow-read-note', 'allow-lines', 'allow-other', 'web:allow-fetch-page']
  await bus.addCapability({ identifier: 'agent', windows: ['agent'], permissions })
  return bus
}

test('search and limit choose commands, and none of them is listed that the label may not call', async () => {
  const bus = await startAgent()
  const list = async (...options: [options?: object]): Promise<string[]> =>
    (await bus.describe('agent', ...options)).map(each => each.command)
  const all = ['lines', 'other', 'plugin:web|fetch_page', 'read_note']
  expect(await list()).toEqual(all)
  expect(await list({})).toEqual(all)
  expect(await bus.describe('agent', { as: 'json-schema' })).toEqual(await bus.describe('agent'))
  expect(await list({ search: 'NOTE' })).toEqual(['lines', 'read_note'])
  expect(await list({ search: 'note  reads' })).toEqual(['read_note'])
  expect(await list({ search: 'hidden' })).toEqual([])
  expect(await list({ limit: 2 })).toEqual(['lines', 'other'])
})

test('allow adds what a run would have, and changes no rights', async () => {
  const bus = await startAgent()
  const list = async (label: string, options: DescribeOptions & { as?: 'json-schema' }): Promise<string[]> =>
    (await bus.describe(label, options)).map(each => each.command)
  expect(await list('run', {})).toEqual([])
  expect(await list('run', { allow: ['read_note', 'web:allow-fetch-page'] })).toEqual([
    'plugin:web|fetch_page',
    'read_note',
  ])
  expect(await list('run', { allow: '*', search: 'hidden' })).toEqual(['hidden'])
  expect(await list('agent', { allow: ['hidden'] })).toContain('lines')
  expect(await list('run', {})).toEqual([])
  await bus.open('page', { source: '' }, { sandbox: 'quickjs', allow: ['hidden'] })
  expect(await list('page', { allow: ['other'] })).toEqual(['other'])
  expect(await list('page', {})).toEqual(['hidden'])
  await expect(list('run', { allow: ['read_nte'] })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringMatching(/^bus\.describe: allow\[0\]: .*did you mean "read_note"/) as string,
  })
  await expect(list('run', { allow: 'all' as never })).rejects.toThrow('bus.describe: allow must be an array, or "*"')
})

test('declarations have the functions of a run, with their descriptions', async () => {
  const bus = await startAgent()
  const functions = {
    notes: {
      search: { description: 'Finds notes', args: z.object({ query: z.string() }), handler: () => [] },
      list: () => [],
    },
  }
  const text = await bus.describe('agent', { as: 'typescript', search: 'nothing', functions })
  expect(text).toBe(`declare const notes: {
/** Finds notes */
search(args: { query: string }): Promise<unknown>
list(args?: unknown): Promise<unknown>
}
`)
  const all = await bus.describe('agent', { as: 'typescript', limit: 1, functions })
  expect(all).toContain('declare function stream')
  expect(all).toContain(text)
  await expect(bus.describe('agent', { functions } as never)).rejects.toThrow('functions needs as: "typescript"')
  const wrong = { as: 'typescript', functions: { notes: { then: () => 1 } } } as const
  await expect(bus.describe('agent', wrong)).rejects.toThrow('bus.describe: functions.notes: "then" is reserved')
})

test('declarations have descriptions, types of arguments and results, and a group for each plugin', async () => {
  const text = await (await startAgent()).describe('agent', { as: 'typescript' })
  expect(text.split('\n// plugin:web\n')[0]).toBe(`/** Streams LINES of a note */
declare function stream(command: "lines", args?: unknown): AsyncIterableIterator<unknown>

declare function invoke(command: "other", args?: unknown): Promise<unknown>

/**
 * Reads a note
 * by its name
 */
declare function invoke(command: "read_note", args: { name: string }): Promise<{ text: string; "kind-of"?: ("a" | "b") }>
`)
})

test('declarations compile, and a hostile description is a comment', { timeout: 60_000 }, async () => {
  const text = await (await startAgent()).describe('agent', { as: 'typescript' })
  const use = `
    const { text } = await invoke('read_note', { name: 'a' })
    text.trim()
    for await (const line of stream('lines')) void line
    await invoke('plugin:web|fetch_page', { url: 'a' })
    // @ts-expect-error: a wrong argument
    await invoke('read_note', { name: 1 })
    // @ts-expect-error: a description declares nothing
    evil
    export {}`
  const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module: 'esnext', lib: ['es2022'], types: [] }
  const directory = writeProject({ 'use.ts': `${text}\n${use}`, 'tsconfig.json': { compilerOptions } })
  const { stdout, status } = spawnSync(process.execPath, [TSC, '-p', directory], { encoding: 'utf8' })
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
})

test('refuses wrong options', () =>
  rows<[object, string]>([
    [{ as: 'yaml' }, 'bus.describe: as must be "typescript" or "json-schema"'],
    [{ limit: 0 }, 'bus.describe: limit must be a whole number from 1'],
    [{ serch: 'a' }, 'bus.describe: unknown option "serch" (did you mean "search"?)'],
  ])(async (options, message) => {
    const bus = await start()
    await expect(bus.describe('agent', options)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(message) as string,
    })
  }))
