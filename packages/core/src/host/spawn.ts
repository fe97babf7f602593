// Starts a worker thread from the entry of a package. Workers inherit the flags of the process, but for a program that came
// from the command line (`node --input-type=module -e …`): what is said there of the input is wrong for the entries.
import { Worker, type TransferListItem, type WorkerOptions } from 'node:worker_threads'

export function spawnWorker(
  entry: string,
  workerData: object,
  transferList: TransferListItem[] = [],
  more: WorkerOptions = {},
): Worker {
  const fromCommandLine = process.execArgv.some(flag => flag.startsWith('--input-type'))
  return new Worker(new URL(entry), { ...(fromCommandLine && { execArgv: [] }), ...more, workerData, transferList })
}
