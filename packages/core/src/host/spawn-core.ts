// Starts the worker of core. In development what it prints is labelled.
import type { Worker } from 'node:worker_threads'
import type { CoreWorkerData } from '../control.js'
import { labelOutput } from './captured.js'
import { spawnWorker } from './spawn.js'
import { findEntry, type WorkerMaker } from './worker-makers.js'

export function spawnCore(data: CoreWorkerData, maker: WorkerMaker | undefined, labelled: boolean): Worker {
  const entry = maker ?? findEntry('#worker')
  const worker = spawnWorker(entry, data, [], labelled ? { stdout: true, stderr: true } : {})
  if (labelled) labelOutput(worker, 'core')
  return worker
}
