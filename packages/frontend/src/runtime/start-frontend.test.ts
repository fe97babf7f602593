import { isMainThread } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { explainDenied } from './start-frontend.js'

const kind = isMainThread ? 'process' : 'permission'
const denied = (more: object): Error => Object.assign(new Error('restricted'), { code: 'ERR_ACCESS_DENIED', ...more })

test.each([
  [
    denied({ permission: 'FileSystemRead', resource: '/key' }),
    `The sandbox denies FileSystemRead of /key. Allow it with sandbox: { kind: '${kind}', read: ["/key"] } (docs/reference/security.md)`,
  ],
  [
    denied({ permission: 'ChildProcess', resource: '' }),
    'The sandbox denies ChildProcess: see docs/reference/security.md',
  ],
  [denied({ permission: 'WorkerThreads' }), 'The sandbox denies WorkerThreads: see docs/reference/security.md'],
  [
    Object.assign(new TypeError('Unknown file extension ".css" for /a.css'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' }),
    `Unknown file extension ".css" for /a.css: the host's loaders are not available in a frontend's sandbox`,
  ],
])('explains what the sandbox denied: %o', (error, message) => {
  expect(explainDenied(error)).toMatchObject({ reason: 'InternalError', message, cause: error })
})

test.each([denied({}), new Error('x'), 'text', undefined, null, { code: 'ERR_ACCESS_DENIED', permission: 'WASI' }])(
  'returns other errors unchanged: %o',
  error => expect(explainDenied(error)).toBe(error),
)
