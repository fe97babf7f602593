// One pin, and several programs that accept tools in it at the same time.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ToolPin } from '../src/open/tool-pin.js'
import { makeDirectory } from './start.js'
import { editJson } from '../../../scripts/odd-inputs.js'
import { rows } from '../../../scripts/testing.js'

const COUNT = 15
const toTool = (name: string) => ({ name, inputSchema: { type: 'object' as const } })
const makePin = (): string => join(makeDirectory(), 'mcp.lock.json')

const getNames = (pin: string): Record<string, string[]> => {
  const { servers } = JSON.parse(readFileSync(pin, 'utf8')) as { servers: Record<string, { name: string }[]> }
  return Object.fromEntries(Object.entries(servers).map(([server, tools]) => [server, tools.map(({ name }) => name)]))
}

async function start(pin: string, server: string, prefix: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fixtures/write-pin.mjs'), [pin, server, prefix, String(COUNT)])
  await once(child, 'message')
  return child
}

test('three programs that accept at the same time lose no tool, of one server or of two', async () => {
  const pin = makePin()
  const programs = [
    ['files', 'a'],
    ['files', 'b'],
    ['web', 'c'],
  ] as const
  const children = await Promise.all(programs.map(([server, prefix]) => start(pin, server, prefix)))
  const ends = children.map(child => once(child, 'exit'))
  for (const child of children) child.send('go')
  expect(await Promise.all(ends)).toEqual(programs.map(() => [0, null]))
  const toNames = (...prefixes: string[]): string[] =>
    prefixes.flatMap(prefix => Array.from({ length: COUNT }, (_, n) => `${prefix}-${n}`)).toSorted()
  const { files, web } = getNames(pin) as { files: string[]; web: string[] }
  expect([files.toSorted(), web.toSorted()]).toEqual([toNames('a', 'b'), toNames('c')])
  expect(readdirSync(dirname(pin))).toEqual(['mcp.lock.json'])
})

test('a first start keeps what another program has accepted meanwhile, and compares with it', async () => {
  const pin = makePin()
  const [first, second] = await Promise.all([ToolPin.read('files', pin), ToolPin.read('files', pin)])
  await first.begin([toTool('read')])
  await second.begin([toTool('read'), toTool('remove')])
  expect(getNames(pin)).toEqual({ files: ['read'] })
  expect(second.compare([toTool('read'), toTool('remove')])).toMatchObject([{ tool: 'remove', change: 'added' }])
})

test('a file as people edit it is read, and keeps what they wrote, or is refused with its place', async () => {
  const pin = makePin()
  const written = { version: 1, comment: 'reviewed', servers: { web: [toTool('search')], files: [] } }
  await rows(editJson(JSON.stringify(written)))(async (_name, bytes, mistake) => {
    // As an editor does that keeps the old file until the new one is there.
    writeFileSync(`${pin}~`, bytes)
    renameSync(`${pin}~`, pin)
    if (mistake) {
      await expect(ToolPin.read('files', pin)).rejects.toThrow(mistake)
      return expect(readFileSync(pin)).toEqual(bytes)
    }
    const read = await ToolPin.read('files', pin)
    await read.accept([toTool('read')])
    const expected = { ...written, servers: { ...written.servers, files: [toTool('read')] } }
    expect(JSON.parse(readFileSync(pin, 'utf8'))).toEqual(expected)
  })
})

test('a file that is no pin is refused and stays', () =>
  rows(['', '{}', '{"version":1,"servers":{"files":[1]}}', '{"version":2,"servers":{}}'])(async text => {
    const pin = makePin()
    const other = await ToolPin.read('files', pin)
    writeFileSync(pin, text)
    const refused = { reason: 'InvalidParams', message: expect.stringContaining(pin) as string }
    await expect(ToolPin.read('files', pin)).rejects.toMatchObject(refused)
    await expect(other.accept([toTool('read')])).rejects.toMatchObject(refused)
    expect(readFileSync(pin, 'utf8')).toBe(text)
  }))

test('a directory in place of the pin is refused', async () => {
  await expect(ToolPin.read('files', makeDirectory())).rejects.toMatchObject({ reason: 'InvalidParams' })
})
