import type { Client } from '@sallyport/core'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { call, createPlace, startFs, writeFile } from './start.js'
import { rows } from '../../../../scripts/testing.js'

const { dir, root } = createPlace()
const file = join(dir, 'a.txt')
let main: Client
let wide: Client

beforeAll(async () => {
  const all = ['fs:read-all', 'fs:write-all', 'fs:allow-size']
  const slow = Array.from({ length: 50 }, (_, at) => `/**/x/**/*y*y/**/x${at}/**/x/**/z`)
  const started = await startFs({
    main: [...all, { permission: 'fs:scope', allow: [dir, `${dir}/**`] }],
    wide: [...all, { permission: 'fs:scope', allow: ['/**', ...slow], deny: slow }],
  })
  main = started.clients['main']!
  wide = started.clients['wide']!
})
beforeEach(() => writeFileSync(file, 'one\ntwo\n'))

const open = async (options?: object): Promise<number> => (await call(main, 'open', { path: file, options })) as number

describe('wrong numbers are refused', () => {
  const wrong = [-1, 0.5, 2 ** 53, '1', null, {}, [], true]

  test('as a length', () =>
    rows(wrong)(async len => {
      expect(await call(main, 'read', { rid: await open(), len })).toMatch(
        /^refused: invalid args `len` for command `read`/,
      )
    }))

  test('as an offset', () =>
    rows(wrong.slice(1))(async offset => {
      expect(await call(main, 'seek', { rid: await open(), offset, whence: 0 })).toMatch(
        /^refused: invalid args `offset`/,
      )
    }))

  test('as a whence', () =>
    rows([-1, 3, '0', null])(async whence => {
      expect(await call(main, 'seek', { rid: await open(), offset: 0, whence })).toMatch(
        /^refused: invalid args `whence`/,
      )
    }))

  test('as a rid', () =>
    rows([-1, 1.5, '1', null, {}, [], 2 ** 40])(async rid => {
      for (const [command, args] of [
        ['read', { len: 1 }],
        ['write', { data: [1] }],
        ['seek', { offset: 0, whence: 0 }],
        ['fstat', {}],
        ['ftruncate', {}],
        ['read_text_file_lines_next', {}],
        ['unwatch', {}],
      ] as const) {
        expect(await call(main, command, { rid, ...args })).toMatch(/^refused: The resource id .* is invalid\.$/)
      }
    }))

  test('as a mode', () =>
    rows([-1, 1.5, '7', {}])(async mode => {
      expect(await call(main, 'mkdir', { path: join(dir, 'x'), options: { mode } })).toMatch(
        /^refused: invalid args `mode`/,
      )
    }))

  test('as a base directory', () =>
    rows([0, 24, -1, 1.5, '1', {}, true])(async baseDir => {
      expect(await call(main, 'exists', { path: 'x', options: { baseDir } })).toMatch(/^refused: .*base directory/)
    }))
})

test('data that is no list of bytes is refused', () =>
  rows([[[256]], [[-1]], [[0.5]], [['1']], [[null]], ['text'], [{}], [null]])(async data => {
    expect(await call(main, 'write', { rid: await open({ write: true }), data })).toMatch(
      /^refused: invalid args `data`/,
    )
  }))

test('a read of very many bytes returns the few of the file', async () => {
  const answer = Buffer.from((await call(main, 'read', { rid: await open(), len: 2 ** 31 })) as ArrayBuffer)
  expect([answer.length, answer.subarray(0, 8).toString(), Number(answer.readBigUInt64BE(8))]).toEqual([
    16,
    'one\ntwo\n',
    8,
  ])
})

test('5 MB are written through a handle, as an array of numbers below a million and as bytes', async () => {
  const rid = await open({ write: true, truncate: true })
  expect(await call(main, 'write', { rid, data: Array.from({ length: 900_000 }, (_, at) => at % 256) })).toBe(900_000)
  expect(await call(main, 'write', { rid, data: new Uint8Array(5_000_000).fill(7) })).toBe(5_000_000)
  const written = readFileSync(file)
  expect([written.length, written[899_999], written[900_000]]).toEqual([5_900_000, 899_999 % 256, 7])
})

describe('paths that cannot be', () => {
  const CANNOT = 'refused: invalid args `path` for command `read_file`: '

  test('are refused with the reason', () =>
    rows([
      ['../secret', `${CANNOT}cannot traverse directory, rewrite the path without the use of \`../\``],
      ['a/../../x', `${CANNOT}cannot traverse directory, rewrite the path without the use of \`../\``],
      ['', 'refused: failed to read file as text at path:  with error: No such file or directory (os error 2)'],
      ['a\0b', 'refused: file name contained an unexpected NUL byte'],
      ['a\ud800', 'refused: path is not a valid UTF-8'],
      ['file:///a%2Fb', 'refused: URL is not a valid path'],
      ['file:///a%00b', 'refused: file name contained an unexpected NUL byte'],
      ['file://host/a', 'refused: URL is not a valid path'],
      ['file:', 'refused: forbidden path: file:,'],
      [5, `${CANNOT}invalid type: expected a string`],
      [null, `${CANNOT}invalid type: expected a string`],
      [{}, `${CANNOT}invalid type: expected a string`],
    ])(async (path, text) => {
      expect(await call(main, 'read_file', { path })).toEqual(expect.stringContaining(text))
    }))

  test('a file URL is decoded, and its dots are resolved before the scope is checked', async () => {
    writeFileSync(join(dir, 'ä b'), 'x')
    expect(await call(main, 'exists', { path: `file://${dir}/%C3%A4%20b` })).toBe(true)
    expect(await call(main, 'exists', { path: `file://${dir}/%2e%2e/secret` })).toContain(
      `forbidden path: file://${dir}/%2e%2e/secret,`,
    )
  })

  test('long paths are refused before the test ends, whatever the patterns', () =>
    rows({
      'of 4 KiB': `/${'x'.repeat(200)}`.repeat(20),
      'of 2,000 names': '/x'.repeat(2000),
      'of 1 MiB': '/x'.repeat(2 ** 19),
      'of 10 MiB': '/x'.repeat(5 * 2 ** 20),
    })(async path => expect(await call(wide, 'read_file', { path })).toMatch(/^refused: /)))
})

describe('pipes, sockets, devices and directories are refused at once', () => {
  test('a pipe, a hundred times, and other calls go on', async () => {
    execFileSync('mkfifo', [join(dir, 'pipe')])
    const refused = Array.from({ length: 100 }, () => call(main, 'open', { path: join(dir, 'pipe') }))
    expect(await call(main, 'exists', { path: file })).toBe(true)
    for (const text of await Promise.all(refused)) expect(text).toContain('not a regular file')
  })

  test('a socket', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(join(dir, 'socket'), resolve))
    expect(await call(main, 'read_file', { path: join(dir, 'socket') })).toContain('not a regular file')
    await new Promise(resolve => server.close(resolve))
  })

  test('a device', () =>
    rows(['/dev/zero', '/dev/full'])(async path => {
      expect(await call(wide, 'read_file', { path })).toContain('not a regular file')
    }))

  test('paths of the kernel', () =>
    rows(['/proc/self/mem', '/proc/self/environ', '/dev/fd/0', '/proc/self/root/etc/passwd/x'])(async path => {
      expect(await call(wide, 'read_file', { path })).toMatch(/forbidden path|not a regular file|os error/)
    }))

  test('a directory', async () => {
    expect(await call(main, 'read_file', { path: dir })).toContain('Is a directory (os error 21)')
  })
})

test('a file above the limit is refused before it is read', async () => {
  truncateSync(file, 257 * 1024 * 1024)
  expect(await call(main, 'read_file', { path: file })).toContain('at most 268435456 are read at once')
})

test('a frontend opens at most 256 files, and as many again after it has closed them', async () => {
  const opened = await Promise.all(Array.from({ length: 300 }, () => call(main, 'open', { path: file })))
  const rids = opened.filter(rid => typeof rid === 'number')
  expect(opened.find(rid => typeof rid === 'string')).toContain('256 files are open. Close one first.')
  for (const rid of rids) await main.invoke('plugin:resources|close', { rid })
  expect(await call(main, 'open', { path: file })).toEqual(expect.any(Number))
})

test('a directory with dangling links and links to directories is listed', async () => {
  symlinkSync('none', join(dir, 'gone'))
  symlinkSync(root, join(dir, 'up'))
  expect(await call(main, 'read_dir', { path: dir })).toEqual(
    expect.arrayContaining([
      { name: 'gone', isDirectory: false, isFile: false, isSymlink: true },
      { name: 'up', isDirectory: true, isFile: false, isSymlink: true },
    ]),
  )
})

test('an error names a relative path as it was written, and not the directory of the host', async () => {
  for (const [command, path] of [
    ['read_file', 'a.txt'],
    ['mkdir', './b/c'],
    ['exists', ''],
    ['size', 'none'],
  ] as const) {
    const text = (await call(main, command, { path })) as string
    expect(text).toMatch(/^refused: (?:forbidden path: |failed to )/)
    expect(text).toContain(path)
    expect(text).not.toContain(process.cwd())
  }
  expect(await call(main, 'rename', { oldPath: 'x', newPath: join(dir, 'y') })).toContain('forbidden path: x,')
  expect(await call(wide, 'read_file', { path: 'none/at/all' })).toBe(
    'refused: failed to read file as text at path: none/at/all with error: No such file or directory (os error 2)',
  )
})

test('in production an error names no permission', async () => {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    expect(await call(main, 'exists', { path: root })).toBe(`refused: forbidden path: ${root}`)
  } finally {
    process.env['NODE_ENV'] = before
  }
})

test('options of a write that do not parse count as none', async () => {
  const headers = { path: encodeURIComponent(file), options: '{' }
  await main.invoke('plugin:fs|write_file', Buffer.from('x') as never, { headers })
  expect(readFileSync(file, 'utf8')).toBe('x')
})

test('a write without a path, or without bytes, is refused', async () => {
  const write = (body: unknown, headers: Record<string, string>): Promise<unknown> =>
    main.invoke('plugin:fs|write_file', body as never, { headers }).catch((error: { data: unknown }) => error.data)
  expect(await write(Buffer.from('x'), {})).toBe('missing file path')
  expect(await write({ a: 1 }, { path: 'x' })).toBe('unexpected invoke body')
  expect(await write(Buffer.from('x'), { path: '%' })).toBe('path is not a valid UTF-8')
})

describe('lines are split at line feeds, and stay undecoded', () => {
  test('in every encoding, with every line end', () =>
    rows<[string, string | undefined, Buffer, Buffer[]]>([
      ['LF', undefined, Buffer.from('a\nb\n'), [Buffer.from('a'), Buffer.from('b')]],
      ['CRLF', undefined, Buffer.from('a\r\nb\r\n'), [Buffer.from('a'), Buffer.from('b')]],
      ['a lone CR', undefined, Buffer.from('a\rb\n'), [Buffer.from('a\rb')]],
      ['no last line feed', undefined, Buffer.from('a\n\nb'), [Buffer.from('a'), Buffer.from(''), Buffer.from('b')]],
      ['an empty file', undefined, Buffer.from(''), []],
      ['invalid UTF-8', undefined, Buffer.from([0xff, 10, 0xfe]), [Buffer.from([0xff]), Buffer.from([0xfe])]],
      [
        'UTF-16',
        'utf-16le',
        Buffer.from('aਊ\r\nb\n', 'utf16le'),
        [Buffer.from('aਊ', 'utf16le'), Buffer.from('b', 'utf16le')],
      ],
      [
        'UTF-16, big endian',
        'utf-16be',
        Buffer.from('a\u0a0a\r\nb\n', 'utf16le').swap16(),
        [Buffer.from('a\u0a0a', 'utf16le').swap16(), Buffer.from('b', 'utf16le').swap16()],
      ],
      [
        'a long line',
        undefined,
        Buffer.from(`${'x'.repeat(300_000)}\ny`),
        [Buffer.from('x'.repeat(300_000)), Buffer.from('y')],
      ],
      ['__proto__ as encoding', '__proto__', Buffer.from('a\n'), [Buffer.from('a')]],
    ])(async (_name, encoding, content, expected) => {
      writeFileSync(file, content)
      const rid = await call(main, 'read_text_file_lines', { path: file, options: { encoding } })
      for (const line of expected) {
        const answer = Buffer.from((await call(main, 'read_text_file_lines_next', { rid })) as ArrayBuffer)
        expect([answer.subarray(0, -1).equals(line), answer.at(-1)]).toEqual([true, 0])
      }
      expect([...Buffer.from((await call(main, 'read_text_file_lines_next', { rid })) as ArrayBuffer)]).toEqual([1])
      expect(await call(main, 'read_text_file_lines_next', { rid })).toContain('is invalid')
    }))
})

test('a line of more than 16 MiB is refused', async () => {
  writeFileSync(file, new Uint8Array(17 * 1024 * 1024))
  const rid = await call(main, 'read_text_file_lines', { path: file })
  expect(await call(main, 'read_text_file_lines_next', { rid })).toContain('it has more than 16777216 bytes')
})

test('calls with arguments of wrong types are answered', async () => {
  const values = [
    undefined,
    null,
    0,
    -1,
    1.5,
    2 ** 40,
    '',
    'x',
    '/',
    dir,
    true,
    [],
    {},
    [1],
    { baseDir: 99 },
    '__proto__',
  ]
  const pick = (at: number): unknown => values[at % values.length]
  const names = [
    'path',
    'options',
    'rid',
    'len',
    'data',
    'offset',
    'whence',
    'fromPath',
    'toPath',
    'oldPath',
    'newPath',
    'paths',
  ]
  const commands = [
    'open',
    'read',
    'write',
    'seek',
    'fstat',
    'ftruncate',
    'read_file',
    'mkdir',
    'copy_file',
    'rename',
    'stat',
    'watch',
  ]
  const calls: Promise<unknown>[] = []
  for (let round = 0; round < 3000; round++) {
    const args = Object.fromEntries(names.map((name, at) => [name, pick(round * (at + 3) + at * 7)]))
    calls.push(call(main, commands[round % commands.length]!, args))
    if (calls.length === 100) await Promise.all(calls.splice(0))
  }
  await Promise.all(calls)
  mkdirSync(join(dir, 'alive'))
  expect(await call(main, 'exists', { path: join(dir, 'alive') })).toBe(true)
  expect(await writeFile(main, join(dir, 'b'), 'x')).toBeNull()
})
