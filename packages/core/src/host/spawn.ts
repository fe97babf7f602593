// Starts a worker thread from the entry of a package. The entries are files, so what the process was told of its own input
// is not theirs.
import { Worker, type TransferListItem } from 'node:worker_threads'

export function spawnWorker(entry: string, workerData: object, transferList: TransferListItem[] = []): Worker {
  const execArgv = process.execArgv.filter(arg => !arg.startsWith('--input-type'))
  return new Worker(new URL(entry), { workerData, transferList, execArgv })
}
