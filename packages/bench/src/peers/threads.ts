// threads.js: one worker, spawned, with the functions that it exposes.
import { createRequire } from 'node:module'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.js'

interface Threads {
  Worker: new (path: string) => { setMaxListeners(count: number): void }
  spawn(worker: object): Promise<unknown>
}

type Remote = Record<string, (args: unknown) => Promise<unknown>>

// Its package.json hides its types from an import.
const { Worker, spawn } = createRequire(import.meta.url)('threads') as Threads

export const peer: Peer = {
  connect: async () => {
    // Takes paths that are relative to the file that calls it, and no others.
    const here = dirname(fileURLToPath(import.meta.url))
    const worker = new Worker(relative(here, fileURLToPath(import.meta.resolve('#workers/threads-worker'))))
    // It listens once for each call that is in flight; Node would warn of more than ten.
    worker.setMaxListeners(0)
    const remote = (await spawn(worker)) as Remote
    return (command, args) => remote[command]!(args)
  },
}
