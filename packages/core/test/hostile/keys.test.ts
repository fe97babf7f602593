// Keys stay where they are used: a program runs with records, and all that its host and a frontend can find in their own
// memory, and all that is logged or shown, is searched for every secret that core has made.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'key-hunt-'))
const read = (name: string): Buffer => readFileSync(join(folder, name))
const made: { kind: string; bytes: Buffer }[] = []
beforeAll(async () => {
  const [spy, program] = ['spy.mjs', 'host.mjs'].map(name => new URL(`key-hunt/${name}`, import.meta.url))
  await promisify(execFile)(process.execPath, [`--import=${spy!.href}`, fileURLToPath(program!)], {
    env: { ...process.env, KEY_HUNT: folder },
  })
  for (const line of read('secrets').toString().trim().split('\n')) {
    const [kind = '', hex = ''] = line.split(' ')
    made.push({ kind, bytes: Buffer.from(hex, 'hex') })
  }
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

/** As bytes, and as what a program would write them out as. */
function forms(bytes: Buffer): (Buffer | string)[] {
  const hex = bytes.toString('hex')
  const pairs = hex.match(/../g) ?? []
  return [
    bytes,
    hex,
    pairs.join(' '),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.join(','),
    bytes.join(', '),
  ]
}
const found = (name: string, kinds = ['master', 'secret', 'key']): string[] => {
  const memory = read(name)
  const here = made.filter(
    ({ kind, bytes }) => kinds.includes(kind) && forms(bytes).some(form => memory.includes(form)),
  )
  return here.map(({ kind }) => kind)
}

test('core has made a master, and a secret and a key for each session', () => {
  expect(made.map(({ kind }) => kind).sort()).toEqual(['key', 'key', 'master', 'secret', 'secret'])
})

test.each(['host', 'frontend'])('none is in the memory of a %s, whose records they seal', name => {
  expect(read(name).includes(`planted in the ${name}, 32 bytes`), 'what is there is found').toBe(true)
  expect(found(name)).toEqual([])
})

test('core itself keeps the master alone where JavaScript could come upon it', () => {
  expect(found('core')).toEqual(['master'])
})

test('none is logged at any level, or shown by what is public', () => {
  expect(read('shown').toString()).toContain('"actor":"core"')
  expect(found('shown')).toEqual([])
})

test('none is in environment data, or told to all threads, by the host, core or a frontend', () => {
  const shared = read('shared').toString('latin1')
  // Those of the program's flags: the host, core, and a frontend without a sandbox.
  expect(shared.match(/as data of thread/g)).toHaveLength(3)
  expect(shared.match(/on a channel of thread/g)).toHaveLength(3)
  expect(found('shared')).toEqual([])
})

test('nothing that a gate runs knows of a way to all threads', () => {
  const packages = new URL('../../../', import.meta.url)
  const sources = ['core', 'frontend', 'isolation', 'protocol'].flatMap(name =>
    readdirSync(new URL(`${name}/src/`, packages), { recursive: true, encoding: 'utf8' })
      .filter(file => /(?<!\.test|\.test-d)\.ts$/.test(file))
      .map(file => `${name}/src/${file.replaceAll('\\', '/')}`),
  )
  expect(sources).toContain('isolation/src/worker.ts')
  const told = sources.filter(file =>
    /BroadcastChannel|EnvironmentData|postMessageToThread/.test(readFileSync(new URL(file, packages), 'utf8')),
  )
  // It takes them away.
  expect(told).toEqual(['frontend/src/runtime/harden.ts'])
})
