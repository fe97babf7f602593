// workerpool with a dedicated worker, as its README has it.
import { fileURLToPath } from 'node:url'
import { pool as createPool } from 'workerpool'
import type { Peer } from './peer.js'

export const peer: Peer = {
  connect: () => {
    const pool = createPool(fileURLToPath(import.meta.resolve('#workers/workerpool-worker')))
    return async (command, args) => pool.exec(command, [args])
  },
}
