// A thread of threads.js's.
import { createRequire } from 'node:module'
import * as functions from './pool-functions.js'

// Its package.json hides its types from an import.
const { expose } = createRequire(import.meta.url)('threads/worker') as { expose(functions: object): void }

expose({ ...functions })
