import type { Client } from '@sallyport/core'
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { call, createPlace, startFs, writeFile } from './start.js'
import { rows } from '../../../../scripts/testing.js'

const { dir, root } = createPlace()
const all = ['fs:read-all', 'fs:write-all', 'fs:allow-size']
const scope = (
  allow: readonly string[],
  deny: readonly string[] = [],
): { permission: string; allow: readonly string[]; deny: readonly string[] } => ({
  permission: 'fs:scope',
  allow,
  deny,
})

let clients: Record<string, Client>
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

beforeAll(async () => {
  mkdirSync(join(root, 'other'), { recursive: true })
  ;({ clients } = await startFs({
    main: [...all, scope([dir, `${dir}/**`], [`${dir}/private/**`, `${dir}/private`, `${dir}/sub/locked`])],
    second: [...all, scope([`${root}/second/**`])],
    reader: ['fs:read-all', scope([dir, `${dir}/**`])],
    denied: [
      { permission: 'fs:allow-write', deny: [`${dir}/private/**`] },
      { permission: 'fs:allow-open', allow: [`${dir}/**`] },
    ],
    byName: ['fs:allow-write', { permission: 'fs:allow-open', allow: [`${dir}/**`] }],
    mixed: [
      { permission: 'fs:read-all', allow: [`${dir}/**`] },
      { permission: 'fs:write-all', allow: [`${dir}/mine/**`] },
    ],
    empty: all,
    flat: [...all, scope([dir, `${dir}/*`, `${dir}/public/**`])],
  }))
})
beforeEach(() => {
  for (const name of ['private', 'sub', 'mine']) mkdirSync(join(dir, name))
  writeFileSync(join(dir, 'a.txt'), 'inside')
  writeFileSync(join(dir, 'private/key'), 'key')
  writeFileSync(join(root, 'secret'), 'secret')
  mkdirSync(join(root, 'outside'))
  writeFileSync(join(root, 'outside/secret'), 'secret')
})

/** Every command with a path. Each attempt is refused for `path`. */
const attempts = (client: Client, path: string): [string, () => Promise<unknown>][] => [
  ...['open', 'create', 'read_file', 'read_text_file', 'read_text_file_lines', 'read_dir', 'mkdir'].map(toAttempt),
  ...['remove', 'stat', 'lstat', 'exists', 'size', 'truncate'].map(toAttempt),
  ['open to write', () => call(client, 'open', { path, options: { write: true, create: true } })],
  ['remove a tree', () => call(client, 'remove', { path, options: { recursive: true } })],
  ['write_text_file', () => writeFile(client, path, 'x')],
  ['copy_file from', () => call(client, 'copy_file', { fromPath: path, toPath: `${dir}/copy` })],
  ['copy_file to', () => call(client, 'copy_file', { fromPath: `${dir}/a.txt`, toPath: path })],
  ['rename from', () => call(client, 'rename', { oldPath: path, newPath: `${dir}/moved` })],
  ['rename to', () => call(client, 'rename', { oldPath: `${dir}/a.txt`, newPath: path })],
]
function toAttempt(command: string): [string, () => Promise<unknown>] {
  return [command, () => call(clients['main']!, command, { path: attempted })]
}
let attempted = ''

describe('paths out of scope are refused for every command', () => {
  const link = (name: string, target: string): string => {
    symlinkSync(target, join(dir, name))
    return join(dir, name)
  }

  test('outside, denied, hidden, or behind links', () =>
    rows<[string, () => string]>([
      ['a file next to the scope', () => join(root, 'secret')],
      ['a denied file', () => join(dir, 'private/key')],
      ['a denied file in other case', () => join(dir, 'PRIVATE/key')],
      ['a new file in a denied directory', () => join(dir, 'private/new')],
      ['a dotfile', () => join(dir, '.hidden')],
      ['a link to a file', () => link('to-file', join(root, 'secret'))],
      ['a relative link to a file', () => link('relative', '../secret')],
      ['a link to a directory', () => link('to-directory', join(root, 'outside'))],
      ['a file below a link', () => join(link('up', root), 'secret')],
      ['a new file below a link', () => join(link('up-new', root), 'new')],
      ['a chain of links', () => link('chain', link('chained', join(root, 'secret')))],
      ['a dangling link', () => link('dangling', join(root, 'none'))],
      ['a relative dangling link', () => link('relative-dangling', '../none')],
      ['a dangling link below a link', () => join(link('up-dangling', root), 'none/none')],
      ['a path of the kernel', () => '/proc/self/mem'],
    ])(async (_name, prepare) => {
      attempted = prepare()
      for (const [name, attempt] of attempts(clients['main']!, attempted)) {
        expect([name, await attempt()]).toEqual([name, expect.stringMatching(/^refused: forbidden path: /)])
      }
      expect([text('secret'), text('outside/secret'), text('open/private/key')]).toEqual(['secret', 'secret', 'key'])
      expect([existsSync(join(root, 'new')), existsSync(join(root, 'none'))]).toEqual([false, false])
    }))

  test('a loop of links', async () => {
    symlinkSync('loop-b', join(dir, 'loop-a'))
    symlinkSync('loop-a', join(dir, 'loop-b'))
    attempted = join(dir, 'loop-a')
    for (const [name, attempt] of attempts(clients['main']!, attempted)) {
      expect([name, await attempt()]).toEqual([name, expect.stringMatching(/^refused: .*(os error 40)/)])
    }
  })
})

test('without an allowed path nothing is allowed', async () => {
  expect(await call(clients['empty']!, 'exists', { path: dir })).toContain('forbidden path')
})

test('the scope of one frontend does not reach another', async () => {
  mkdirSync(join(root, 'second'))
  writeFileSync(join(root, 'second/b.txt'), 'b')
  expect(await call(clients['second']!, 'exists', { path: join(root, 'second/b.txt') })).toBe(true)
  expect(await call(clients['second']!, 'exists', { path: join(dir, 'a.txt') })).toContain('forbidden path')
  expect(await call(clients['main']!, 'exists', { path: join(root, 'second/b.txt') })).toContain('forbidden path')
})

test('a file that one frontend has opened cannot be used by another', async () => {
  const rid = await call(clients['main']!, 'open', { path: join(dir, 'a.txt') })
  expect(await call(clients['reader']!, 'fstat', { rid })).toBe(`refused: The resource id ${String(rid)} is invalid.`)
})

describe('a permission to open files includes no writing', () => {
  test('with any option that writes', () =>
    rows(['write', 'create', 'truncate', 'append', 'createNew'])(async option => {
      const options = { [option]: true, ...(option === 'write' || option === 'append' ? {} : { write: true }) }
      const path = join(dir, 'a.txt')
      expect(await call(clients['reader']!, 'open', { path, options })).toBe(
        `refused: forbidden path: ${path}, maybe it is not allowed on the scope for \`allow-write\` permission in your capability file`,
      )
      expect(text('open/a.txt')).toBe('inside')
    }))

  test('in addition to a permission to write other paths', async () => {
    const open = (path: string): Promise<unknown> =>
      call(clients['mixed']!, 'open', { path: join(dir, path), options: { write: true, create: true } })
    expect(await open('a.txt')).toContain('forbidden path')
    expect(await open('mine/a.txt')).toEqual(expect.any(Number))
  })

  test('a path that the permission to write by name denies is refused', async () => {
    const open = (path: string): Promise<unknown> =>
      call(clients['denied']!, 'open', { path: join(dir, path), options: { write: true } })
    expect(await open('private/key')).toContain('forbidden path')
    expect(await open('a.txt')).toEqual(expect.any(Number))
  })

  test('a permission to write by name is enough', async () => {
    const options = { write: true }
    expect(await call(clients['byName']!, 'open', { path: join(dir, 'a.txt'), options })).toEqual(expect.any(Number))
  })
})

describe('moving a directory does not widen the scope', () => {
  test('with a denied entry in it', async () => {
    mkdirSync(join(dir, 'sub/locked'))
    const args = { oldPath: join(dir, 'sub'), newPath: join(dir, 'moved') }
    expect(await call(clients['main']!, 'rename', args)).toContain('forbidden path')
  })

  test('to a place where more is allowed', async () => {
    mkdirSync(join(dir, 'public'))
    writeFileSync(join(dir, 'sub/x'), 'x')
    const move = (): Promise<unknown> =>
      call(clients['flat']!, 'rename', { oldPath: join(dir, 'sub'), newPath: join(dir, 'public/sub') })
    expect(await call(clients['flat']!, 'read_text_file', { path: join(dir, 'sub/x') })).toContain('forbidden path')
    expect(await move()).toContain('forbidden path')
  })

  test('within the scope it moves', async () => {
    writeFileSync(join(dir, 'sub/x'), 'x')
    await call(clients['main']!, 'rename', { oldPath: join(dir, 'sub'), newPath: join(dir, 'moved') })
    expect(text('open/moved/x')).toBe('x')
  })
})

test('a tree with an entry out of scope is not removed, not even in part', async () => {
  writeFileSync(join(dir, 'sub/a'), 'x')
  mkdirSync(join(dir, 'sub/locked'))
  const args = { path: join(dir, 'sub'), options: { recursive: true } }
  expect(await call(clients['main']!, 'remove', args)).toContain('forbidden path')
  expect([text('open/sub/a'), existsSync(join(dir, 'sub/locked'))]).toEqual(['x', true])
})

test('a tree is removed with its dotfiles and links, but not what they lead to', async () => {
  writeFileSync(join(dir, 'sub/.hidden'), 'x')
  symlinkSync(join(root, 'outside'), join(dir, 'sub/link'))
  expect(await call(clients['main']!, 'remove', { path: join(dir, 'sub'), options: { recursive: true } })).toBeNull()
  expect([existsSync(join(dir, 'sub')), text('outside/secret')]).toEqual([false, 'secret'])
})

test('a link whose target is in scope is moved itself', async () => {
  symlinkSync('a.txt', join(dir, 'link'))
  await call(clients['main']!, 'rename', { oldPath: join(dir, 'link'), newPath: join(dir, 'renamed') })
  expect([existsSync(join(dir, 'a.txt')), text('open/renamed')]).toEqual([true, 'inside'])
})

test('a file is not copied onto itself, whatever its names', async () => {
  linkSync(join(dir, 'a.txt'), join(dir, 'b.txt'))
  await call(clients['main']!, 'copy_file', { fromPath: join(dir, 'a.txt'), toPath: join(dir, 'b.txt') })
  expect(text('open/a.txt')).toBe('inside')
})

test('the size of a directory does not include denied files', async () => {
  expect(await call(clients['main']!, 'size', { path: dir })).toBe('inside'.length)
})

test('a malformed pattern refuses the start', async () => {
  await expect(startFs({ main: [scope(['/a**'])] })).rejects.toThrow(
    'recursive wildcards must form a single path component',
  )
})
