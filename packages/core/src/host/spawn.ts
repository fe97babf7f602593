// Starts a worker thread from the entry of a package. Workers inherit the flags of the process, but for what it was told of
// its own input (`node --input-type=module -e …`): the entries are files.
import { Worker, type TransferListItem } from 'node:worker_threads'

export function spawnWorker(entry: string, workerData: object, transferList: TransferListItem[] = []): Worker {
  const flags = process.execArgv.filter(flag => !flag.startsWith('--input-type'))
  const options = { workerData, transferList }
  // Flags of V8 and of the process are inherited, yet refused when they are given: so they are given only where they must.
  const inherits = flags.length === process.execArgv.length
  return new Worker(new URL(entry), inherits ? options : { ...options, execArgv: flags })
}
