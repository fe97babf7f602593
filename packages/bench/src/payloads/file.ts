// A call whose handler awaits the file system.
import { readFileSync } from 'node:fs'
import { KIB_FILE } from '../workers/handlers.js'
import type { Payload } from './payload.js'

export const kibFile = (): Payload => ({
  id: 'kib-file',
  title: 'a file of 1 KiB',
  calls: [{ command: 'read_kib', args: {}, expected: readFileSync(KIB_FILE, 'utf8') }],
})
