import { afterEach, beforeEach, expect, test } from 'vitest'
import { explainSandboxDenial, setSandboxKind } from './sandbox-denial.js'

beforeEach(() => setSandboxKind('permission'))
afterEach(() => setSandboxKind(undefined))

const denied = (members: object): Error =>
  Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED', ...members })
const allowNet =
  "The sandbox denied the network. Allow it with the frontend's option sandbox: { kind: 'permission', net: true }."
const noOption = "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."

test.each([
  [
    denied({ permission: 'FileSystemRead', resource: '/key' }),
    `The sandbox denied FileSystemRead of /key. Allow it with the frontend's option sandbox: { kind: 'permission', read: ["/key"] }.`,
  ],
  [denied({ permission: 'FileSystemWrite', resource: '/a' }), `The sandbox denied FileSystemWrite of /a. ${noOption}`],
  [denied({ permission: 'ChildProcess', resource: '' }), `The sandbox denied ChildProcess. ${noOption}`],
  [Object.assign(new Error('x'), { code: 'ERR_DLOPEN_DISABLED' }), `The sandbox denied native addons. ${noOption}`],
  [denied({ permission: 'Net', resource: '' }), allowNet],
  [denied({ syscall: 'getaddrinfo' }), allowNet],
  [new TypeError('fetch failed', { cause: denied({ syscall: 'connect' }) }), `fetch failed: ${allowNet}`],
  [
    new TypeError('fetch failed', { cause: new AggregateError([denied({ syscall: 'connect' })]) }),
    `fetch failed: ${allowNet}`,
  ],
])('explains %o', (error, text) => expect(explainSandboxDenial(error)).toBe(text))

const withMembers = (message: string, members: object): Error => Object.assign(new Error(message), members)

test.each([
  withMembers('connect EACCES 127.0.0.1:80', { code: 'EACCES', syscall: 'connect' }),
  withMembers('getaddrinfo EAI_AGAIN example.com', { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }),
  withMembers('queryA ECONNREFUSED example.com', { code: 'ECONNREFUSED', syscall: 'queryA' }),
])('explains %o in a wall that closes the network, and nowhere else', error => {
  setSandboxKind('process', true)
  expect(explainSandboxDenial(error)).toBe(allowNet.replace('permission', 'process'))
  setSandboxKind('process')
  expect(explainSandboxDenial(error)).toBeUndefined()
})

const cyclic = new Error('x')
cyclic.cause = cyclic

test.each([
  denied({}),
  new Error('x'),
  cyclic,
  'text',
  undefined,
  null,
  { code: 'ERR_ACCESS_DENIED', permission: 'WASI' },
])('ignores %o', error => expect(explainSandboxDenial(error)).toBeUndefined())

test('names the kind of the sandbox', () => {
  const error = denied({ permission: 'Net' })
  setSandboxKind('process')
  expect(explainSandboxDenial(error)).toContain("{ kind: 'process', net: true }")
  setSandboxKind(undefined)
  expect(explainSandboxDenial(error)).toBeUndefined()
})
