// Keys do not leave the code that uses them. A program runs in the isolation pattern; the memory of its host and a frontend, and
// everything that is logged or shown, is searched for all of core's secrets.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'key-hunt-'))
const read = (name: string): Buffer => readFileSync(join(directory, name))
const made: { kind: string; bytes: Buffer }[] = []
beforeAll(async () => {
  const [spy, program] = ['spy.mjs', 'host.mjs'].map(name => new URL(`key-hunt/${name}`, import.meta.url))
  await promisify(execFile)(process.execPath, [`--import=${spy!.href}`, fileURLToPath(program!)], {
    env: { ...process.env, KEY_HUNT: directory },
  })
  for (const line of read('secrets').toString().trim().split('\n')) {
    const [kind = '', hex = ''] = line.split(' ')
    made.push({ kind, bytes: Buffer.from(hex, 'hex') })
  }
}, 120_000)
afterAll(() => rmSync(directory, { recursive: true }))

/** Returns a secret as bytes, and in the encodings that programs print. */
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
  const found = made.filter(
    ({ kind, bytes }) => kinds.includes(kind) && forms(bytes).some(form => memory.includes(form)),
  )
  return found.map(({ kind }) => kind)
}

test('core creates a master secret, and a secret and a key for each session', () => {
  expect(made.map(({ kind }) => kind).sort()).toEqual(['key', 'key', 'master', 'secret', 'secret'])
})

test.each(['host', 'frontend'])('no secret is in the memory of a %s', name => {
  expect(read(name).includes(`planted in the ${name}, 32 bytes`), 'a planted secret is found').toBe(true)
  expect(found(name)).toEqual([])
})

test('core holds only the master secret within reach of JavaScript', () => {
  expect(found('core')).toEqual(['master'])
})

test('no secret is logged at any level, or shown by a public object', () => {
  expect(read('shown').toString()).toContain('"worker":"core"')
  expect(found('shown')).toEqual([])
})

test('no secret is in environment data, or broadcast by the host, core or a frontend', () => {
  const shared = read('shared').toString('latin1')
  // The host, core, and a frontend without a sandbox report their flags.
  expect(shared.match(/as data of thread/g)).toHaveLength(3)
  expect(shared.match(/on a channel of thread/g)).toHaveLength(3)
  expect(found('shared')).toEqual([])
})

test('no module of a gate can broadcast to all threads', () => {
  const packages = new URL('../../../../', import.meta.url)
  const sources = ['core', 'frontend', 'isolation', 'protocol'].flatMap(name =>
    readdirSync(new URL(`${name}/src/`, packages), { recursive: true, encoding: 'utf8' })
      .filter(file => /(?<!\.test|\.test-d)\.ts$/.test(file))
      .map(file => `${name}/src/${file.replaceAll('\\', '/')}`),
  )
  expect(sources).toContain('isolation/src/worker.ts')
  const broadcasting = sources.filter(file =>
    /BroadcastChannel|EnvironmentData|postMessageToThread/.test(readFileSync(new URL(file, packages), 'utf8')),
  )
  // This module removes them.
  expect(broadcasting).toEqual(['frontend/src/runtime/harden.ts'])
})
