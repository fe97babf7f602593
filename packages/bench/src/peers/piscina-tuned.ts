// piscina, set up for many small tasks: one thread that takes 64 of them at a time, and waits for them with Atomics.
import { Piscina } from 'piscina'
import type { Peer } from './peer.js'

export const peer: Peer = {
  connect: () => {
    const pool = new Piscina({
      filename: import.meta.resolve('#workers/pool-functions'),
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 64,
      atomics: 'sync',
    })
    return (command, args) => pool.run(args, { name: command })
  },
}
