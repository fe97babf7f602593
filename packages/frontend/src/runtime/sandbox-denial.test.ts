import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import {
  explainSandboxDenial,
  findDeniedAddon,
  findHiddenPackage,
  setSandboxKind,
  watchAddons,
} from './sandbox-denial.js'

beforeEach(() => setSandboxKind('permission'))
afterEach(() => setSandboxKind(undefined))

const denied = (members: object): Error =>
  Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED', ...members })
const allowNet =
  "The sandbox denied the network. Allow it: add net: true to the frontend's sandbox, { kind: 'permission', … }."
const noOption = "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."

test('explains what the sandbox denied', () =>
  rows([
    [
      denied({ permission: 'FileSystemRead', resource: '/key' }),
      `The sandbox denied FileSystemRead of /key. Allow it: add read: ["/key"] to the frontend's sandbox, { kind: 'permission', … }. A directory in this list allows all files in it.`,
    ],
    [
      denied({ permission: 'FileSystemWrite', resource: '/a' }),
      `The sandbox denied FileSystemWrite of /a. ${noOption}`,
    ],
    [denied({ permission: 'ChildProcess', resource: '' }), `The sandbox denied ChildProcess. ${noOption}`],
    [
      Object.assign(new Error('x'), { code: 'ERR_DLOPEN_DISABLED' }),
      'The sandbox denied a native addon. Use a package in JavaScript or WebAssembly, call a command that uses the addon, or trust the ' +
        "frontend with all rights of the host: sandbox: 'none'.",
    ],
    [
      denied({ permission: 'FileSystemRead', resource: 't.txt' }),
      'The sandbox denied FileSystemRead of t.txt, a path that is relative to the working directory. Use new URL("t.txt", import.meta.url) ' +
        'for a file next to the module.',
    ],
    ...[
      { permission: 'FileSystemRead', resource: tmpdir() },
      { permission: 'FileSystemWrite', resource: join(tmpdir(), 'a') },
    ].map((members): [Error, string] => [
      denied(members),
      `The sandbox denied writes to ${members.resource}. A frontend has temporary files only in a wall, on Linux: sandbox: { kind: 'process', ` +
        `wall: 'required', tmp: 16 }. Otherwise call a command that writes the file.`,
    ]),
    [denied({ permission: 'Net', resource: '' }), allowNet],
    [denied({ syscall: 'getaddrinfo' }), allowNet],
    [new TypeError('fetch failed', { cause: denied({ syscall: 'connect' }) }), `fetch failed: ${allowNet}`],
    [
      new TypeError('fetch failed', { cause: new AggregateError([denied({ syscall: 'connect' })]) }),
      `fetch failed: ${allowNet}`,
    ],
  ])((error, text) => expect(explainSandboxDenial(error)).toBe(text)))

test('names the options that the wall holds, with the directory of the file, and no wall', () => {
  const temporary = join(tmpdir(), 'own', 'a')
  const own = `write: [${JSON.stringify(join(tmpdir(), 'own'))}]`
  return rows<[files: ('tmp' | 'write')[] | undefined, resource: string, option: string, more?: string]>([
    [['tmp', 'write'], temporary, `tmp: 16, or ${own}`],
    [['tmp', 'write'], join(tmpdir(), 'a'), 'tmp: 16'],
    [['tmp', 'write'], '/data/a', 'write: ["/data"]'],
    [['tmp'], temporary, 'tmp: 16'],
    [['write'], temporary, own],
    [
      ['write'],
      join(tmpdir(), 'a'),
      'write: [directory]',
      ` Use a directory of its own: others write to ${tmpdir()}, too.`,
    ],
    [undefined, temporary, own],
    [[], temporary, ''],
    [['tmp'], '/data/a', ''],
  ])((files, resource, option, more = '') => {
    setSandboxKind('process', { files })
    const explained = explainSandboxDenial(denied({ permission: 'FileSystemWrite', resource }))
    const allowed = `Allow it: add ${option} to the frontend's sandbox, { kind: 'process', … }.${more}`
    expect(explained?.split(`${resource}. `)[1]).toBe(option === '' ? noOption : allowed)
  })
})

test('names the option for a denied read only if the launcher holds it', () =>
  rows<['read' | 'write', string]>([
    ['read', 'add read: ["/data/a"] to'],
    ['write', 'Its launcher decides what it reads there'],
  ])((option, text) => {
    setSandboxKind('process', { files: [option] })
    expect(explainSandboxDenial(denied({ permission: 'FileSystemRead', resource: '/data/a' }))).toContain(text)
  }))

test('explains a program that Deno does not look for', () =>
  expect(
    explainSandboxDenial(
      new Error("Failed to spawn 'ls': no path to search and provided name is not an absolute path"),
    ),
  ).toBe(`The sandbox denied run of ls. ${noOption}`))

const withMembers = (message: string, members: object): Error => Object.assign(new Error(message), members)

test('explains a connection in a wall that closes the network, and nowhere else', () =>
  rows([
    withMembers('connect EACCES 127.0.0.1:80', { code: 'EACCES', syscall: 'connect' }),
    withMembers('connect ENETUNREACH 192.0.2.1:80', { code: 'ENETUNREACH', syscall: 'connect' }),
    withMembers('send EHOSTUNREACH 192.0.2.1:53', { code: 'EHOSTUNREACH', syscall: 'send' }),
    withMembers('connect EADDRNOTAVAIL ::1:80', { code: 'EADDRNOTAVAIL', syscall: 'connect' }),
    withMembers('connect ECONNREFUSED ::1:80', { code: 'ECONNREFUSED', syscall: 'connect' }),
    withMembers('getaddrinfo EAI_AGAIN example.com', { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }),
    withMembers('queryA ECONNREFUSED example.com', { code: 'ECONNREFUSED', syscall: 'queryA' }),
    // node-fetch
    withMembers('request to http://localhost/ failed', {
      code: 'EACCES',
      errno: 'EACCES',
      erroredSysCall: 'connect',
    }),
  ])(error => {
    setSandboxKind('process', { closesNet: true })
    expect(explainSandboxDenial(error)).toBe(allowNet.replace('permission', 'process'))
    setSandboxKind('process')
    expect(explainSandboxDenial(error)).toBeUndefined()
  }))

const cyclic = new Error('x')
cyclic.cause = cyclic

test('ignores a socket in the file system that nobody listens at', () => {
  setSandboxKind('process', { closesNet: true })
  const error = withMembers('connect ECONNREFUSED /tmp/a:1', { code: 'ECONNREFUSED', syscall: 'connect' })
  expect(explainSandboxDenial(error)).toBeUndefined()
})

test('ignores all other errors', () =>
  rows([
    denied({}),
    new Error('x'),
    cyclic,
    'text',
    undefined,
    null,
    { code: 'ERR_ACCESS_DENIED', permission: 'WASI' },
  ])(error => expect(explainSandboxDenial(error)).toBeUndefined()))

test('names the kind of the sandbox', () => {
  const error = denied({ permission: 'Net' })
  setSandboxKind('process')
  expect(explainSandboxDenial(error)).toContain("{ kind: 'process', … }")
  setSandboxKind(undefined)
  expect(explainSandboxDenial(error)).toBeUndefined()
})

test('explains a denial that a library keeps as a detail of its own error', () => {
  setSandboxKind('process', { closesNet: true })
  const error = withMembers('No connection.', { detail: withMembers('x', { code: 'EACCES', syscall: 'connect' }) })
  expect(explainSandboxDenial(error)).toBe(`No connection: ${allowNet.replace('permission', 'process')}`)
})

let directory: string
let file: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hidden-'))
  file = join(directory, 'src', 'main.mjs')
  mkdirSync(join(directory, 'node_modules', '@scope'), { recursive: true })
  mkdirSync(join(directory, 'there'))
  symlinkSync('../elsewhere', join(directory, 'node_modules', 'linked'))
  symlinkSync('../../elsewhere', join(directory, 'node_modules', '@scope', 'linked'))
  symlinkSync('../there', join(directory, 'node_modules', 'there'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const find = (name: string): string | undefined =>
  findHiddenPackage(`Cannot find package '${name}' imported from ${file}`)

test('finds the target of a linked package', () =>
  rows(['linked', 'linked/sub/path.js', '@scope/linked', '@scope/linked/sub'])(name =>
    expect(find(name)).toBe(join(directory, 'elsewhere')),
  ))

test('finds the target for require, and for an importer that is a URL', () => {
  const target = join(directory, 'elsewhere')
  expect(findHiddenPackage(`Cannot find module 'linked'\nRequire stack:\n- ${file}\n- /other.js`)).toBe(target)
  expect(findHiddenPackage(`Cannot find package 'linked' imported from ${pathToFileURL(file).href}`)).toBe(target)
})

test('ignores a package that is there, and one that is nowhere', () =>
  rows(['there', 'missing', '@scope/missing'])(name => expect(find(name)).toBeUndefined()))

test('ignores other messages', () => expect(findHiddenPackage('x')).toBeUndefined())

const { dlopen } = process
const denial = (): Error => Object.assign(new Error('x'), { code: 'ERR_DLOPEN_DISABLED' })
const withStack = (file: string): Error => Object.assign(new Error('x'), { stack: `Error: x\n at ${file}:1:1` })

beforeEach(() => {
  process.dlopen = () => {
    throw denial()
  }
  watchAddons()
})
afterEach(() => void (process.dlopen = dlopen))

test('finds the addon of a denial, and of an error of the package that required it', () => {
  const parent = {
    filename: '/a/node_modules/.pnpm/x/node_modules/@img/x/index.cjs',
    parent: { filename: '/a/node_modules/sharp/lib.js' },
  }
  let thrown: unknown
  try {
    process.dlopen({ parent } as object, '/a/x.node')
  } catch (error) {
    thrown = error
  }
  expect(findDeniedAddon(thrown as Error)).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('file:///a/node_modules/sharp/dist/index.mjs'))).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('/b/node_modules/@img/x/index.cjs'))).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('/a/node_modules/sharp-cli/index.cjs'))).toBeUndefined()
  expect(findDeniedAddon(denial())).toBeUndefined()
})
