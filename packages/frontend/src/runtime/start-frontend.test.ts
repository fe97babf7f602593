// What a frontend's author is told of a sandbox that keeps a module from loading.
import { expect, test } from 'vitest'
import { explainDenied } from './start-frontend.js'

const denied = (more: object): Error => Object.assign(new Error('restricted'), { code: 'ERR_ACCESS_DENIED', ...more })

test.each([
  [
    denied({ permission: 'FileSystemRead', resource: '/key' }),
    'The sandbox denies FileSystemRead of /key; `read` of the option `sandbox` grants more: see docs/security.md',
  ],
  [denied({ permission: 'ChildProcess', resource: '' }), 'The sandbox denies ChildProcess: see docs/security.md'],
  [denied({ permission: 'WorkerThreads' }), 'The sandbox denies WorkerThreads: see docs/security.md'],
  [
    Object.assign(new TypeError('Unknown file extension ".css" for /a.css'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' }),
    'Unknown file extension ".css" for /a.css: the host’s loaders are not there in a frontend’s sandbox',
  ],
])('it is said what was denied: %o', (error, message) => {
  expect(explainDenied(error)).toMatchObject({ reason: 'InternalError', message, cause: error })
})

test.each([denied({}), new Error('x'), 'text', undefined, null, { code: 'ERR_ACCESS_DENIED', permission: 'WASI' }])(
  'else nothing: %o',
  error => expect(explainDenied(error)).toBe(error),
)
