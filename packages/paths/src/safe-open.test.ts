import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { resolveBelow, resolveLinks } from './resolve.js'
import { openFile, openToRead, PathChangedError } from './safe-open.js'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-open-')))
afterAll(() => rmSync(root, { recursive: true }))

mkdirSync(join(root, 'real/..hidden'), { recursive: true })
writeFileSync(join(root, 'real/file'), 'content')
writeFileSync(join(root, 'outside'), 'content')
symlinkSync(join(root, 'real'), join(root, 'directory'))
symlinkSync(join(root, 'real/file'), join(root, 'link'))
symlinkSync(join(root, 'outside'), join(root, 'real/out'))

test('opens a file whose path leads there without links', async () => {
  utimesSync(join(root, 'real/file'), 0, 1_700_000_000)
  const { handle, size, modified } = await openToRead(join(root, 'real/file'))
  expect([await handle.readFile('utf8'), size, modified]).toEqual(['content', 7, new Date(1_700_000_000_000)])
  await handle.close()
})

test('a file is read, written, or both, as it was opened', () =>
  rows([
    [{}, true, false],
    [{ read: false, write: true }, false, true],
    [{ write: true }, true, true],
    [{ append: true }, true, true],
  ])(async (options, canRead, canWrite) => {
    const path = join(root, 'real/both')
    writeFileSync(path, 'content')
    await using handle = await openFile(path, options)
    const isDone = (done: Promise<unknown>): Promise<boolean> =>
      done.then(
        () => true,
        () => false,
      )
    expect([await isDone(handle.read(Buffer.alloc(1), 0, 1, 0)), await isDone(handle.write('x'))]).toEqual([
      canRead,
      canWrite,
    ])
  }))

test('refuses what is a link or leads through one', () =>
  rows(['directory/file', 'link'])(async path =>
    expect(openToRead(join(root, path))).rejects.toThrow(PathChangedError),
  ))

test('refuses a directory', async () => {
  await expect(openToRead(join(root, 'real'))).rejects.toMatchObject({ code: 'EISDIR' })
})

test.runIf(process.platform !== 'win32')('refuses a pipe, without waiting for its writer', async () => {
  execFileSync('mkfifo', [join(root, 'pipe')])
  await expect(openToRead(join(root, 'pipe'))).rejects.toBe('not a regular file')
})

test('a path below a directory is resolved, unless its links lead out', async () => {
  const resolve = (path: string) => resolveBelow(join(root, 'directory'), join(root, path))
  expect(await resolve('link')).toEqual({ path: join(root, 'real/file'), names: ['file'] })
  expect(await resolve('real/..hidden')).toEqual({ path: join(root, 'real/..hidden'), names: ['..hidden'] })
  expect(await resolve('real')).toEqual({ path: join(root, 'real'), names: [] })
  expect([await resolve('real/out'), await resolve('outside'), await resolve('')]).toEqual(Array(3).fill(undefined))
  await expect(resolve('real/missing')).rejects.toMatchObject({ code: 'ENOENT' })
})

test('links that lead around in a circle lead nowhere', async () => {
  symlinkSync('circle', join(root, 'circle'))
  await expect(resolveLinks(join(root, 'circle'))).rejects.toMatchObject({ code: 'ELOOP' })
})
