// One file of grants, and several programs that write it at the same time, or die while they write.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Grant, Grants } from '../src/grants.js'

let root = ''
let file = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-grants-'))
  file = join(root, 'grants.json')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const toGrant = (name: string): Grant => ({
  ...{ name, version: '1.0.0', integrity: 'sha512-x', permissions: [], net: false },
  grantedAt: '2026-01-01T00:00:00.000Z',
})
const getNames = async (): Promise<string[]> => (await new Grants(file).read()).plugins.map(({ name }) => name)

async function start(name: string, count: number, ...pause: string[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fixtures/write-grants.mjs'), [file, name, String(count), ...pause])
  await once(child, 'message')
  return child
}

/** Starts a program that waits before it renames its file, which is stale. */
async function startStale(): Promise<ChildProcess> {
  const child = await start('stale', 1, 'pause')
  child.send('go')
  await once(child, 'message')
  for (const name of readdirSync(root)) if (name.endsWith('.next')) utimesSync(join(root, name), 0, 0)
  return child
}

test('four programs that write at the same time lose no answer', async () => {
  const programs = ['a', 'b', 'c', 'd']
  const children = await Promise.all(programs.map(name => start(name, 20)))
  const ends = children.map(child => once(child, 'exit'))
  for (const child of children) child.send('go')
  expect(await Promise.all(ends)).toEqual(programs.map(() => [0, null]))
  const expected = programs.flatMap(name => Array.from({ length: 20 }, (_, n) => `${name}-${n}`))
  expect(await getNames()).toEqual(expected.toSorted())
  expect(readdirSync(root)).toEqual(['grants.json'])
})

test('of several tarballs of one version that are installed at the same time, one is kept', async () => {
  const pins = ['x', 'y', 'z'].map(integrity => new Grants(file).pin({ name: 'a', version: '1.0.0', integrity }))
  const results = await Promise.allSettled(pins)
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
  const { installed } = await new Grants(file).read()
  expect(installed.map(({ integrity }) => integrity)).toEqual(
    ['x', 'y', 'z'].filter((_, n) => results[n]!.status === 'fulfilled'),
  )
})

test('a program that is killed while it writes blocks no other one', async () => {
  const [killed, other] = await Promise.all([start('killed', 100_000), start('other', 20)])
  const ends = [once(killed, 'exit'), once(other, 'exit')]
  for (const child of [killed, other]) child.send('go')
  await expect.poll(getNames).toEqual(expect.arrayContaining(['killed-0', 'other-0']))
  killed.kill('SIGKILL')
  expect(await Promise.all(ends)).toEqual([
    [null, 'SIGKILL'],
    [0, null],
  ])
  await new Grants(file).set(toGrant('last'))
  const names = await getNames()
  expect(names.filter(name => name.startsWith('other'))).toHaveLength(20)
  expect(names).toContain('last')
  expect(readdirSync(root)).toEqual(['grants.json'])
})

test('what a dead program was about to write is removed', async () => {
  await new Grants(file).set(toGrant('first'))
  const dead = await startStale()
  dead.kill('SIGKILL')
  await once(dead, 'exit')
  await new Grants(file).set(toGrant('next'))
  expect(await getNames()).toEqual(['first', 'next'])
  expect(readdirSync(root)).toEqual(['grants.json'])
})

test('a program that goes on after its file was removed as stale loses no answer, and brings no revoked one back', async () => {
  await new Grants(file).set(toGrant('revoked'))
  const paused = await startStale()
  rmSync(file)
  await new Grants(file).set(toGrant('next'))
  paused.send('go')
  expect(await once(paused, 'exit')).toEqual([0, null])
  expect(await getNames()).toEqual(['next', 'stale-0'])
  expect(readdirSync(root)).toEqual(['grants.json'])
})

test('an empty file is invalid and is not replaced', async () => {
  writeFileSync(file, '')
  await expect(new Grants(file).set(toGrant('x'))).rejects.toMatchObject({ code: 'InvalidGrants', file })
  expect(readdirSync(root)).toEqual(['grants.json'])
})

test('what would make the file too large to be read is refused', async () => {
  const grants = new Grants(file)
  await grants.set(toGrant('a'))
  const large = { ...toGrant('b'), permissions: Array<string>(6000).fill('x'.repeat(200)) }
  await expect(grants.set(large)).rejects.toMatchObject({
    code: 'InvalidGrants',
    message: `${file}: it would have more than 1048576 bytes. Uninstall plugins, or remove entries`,
  })
  expect(await getNames()).toEqual(['a'])
})
