// One file of grants, and several programs that write it at the same time, or die while they write.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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

async function start(name: string, count: number): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fixtures/write-grants.mjs'), [file, name, String(count)])
  await once(child, 'message')
  return child
}

test('two programs that write at the same time lose no answer', async () => {
  const children = await Promise.all(['a', 'b'].map(name => start(name, 40)))
  const ends = children.map(child => once(child, 'exit'))
  for (const child of children) child.send('go')
  expect(await Promise.all(ends)).toEqual([
    [0, null],
    [0, null],
  ])
  const expected = ['a', 'b'].flatMap(name => Array.from({ length: 40 }, (_, n) => `${name}-${n}`))
  expect(await getNames()).toEqual(expected.toSorted())
  expect(readdirSync(root)).toEqual(['grants.json'])
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
})

test('what a dead program was about to put in place is put there by the next one', async () => {
  await new Grants(file).set(toGrant('first'))
  const text = `${JSON.stringify({ plugins: [toGrant('first')], installed: [] }, undefined, 2)}\n`
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  writeFileSync(`${file}.${hash}.next`, JSON.stringify({ plugins: [toGrant('dead'), toGrant('first')] }))
  await new Grants(file).set(toGrant('next'))
  expect(await getNames()).toEqual(['dead', 'first', 'next'])
  expect(readdirSync(root)).toEqual(['grants.json'])
})
