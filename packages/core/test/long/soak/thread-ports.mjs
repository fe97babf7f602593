// Counts the MessagePorts of the main thread, without those that Node itself keeps for ended threads. Node's main thread has a port to
// every other thread, for `postMessageToThread`, and removes it when the parent of that thread reports its exit. A thread that fails, such
// as a core with a pool, ends its own threads without a report: Node keeps a closed port for each, which no program can release.
import v8 from 'node:v8'
import { MessagePort } from 'node:worker_threads'

/** The name of Node's own listener at these ports. */
const LISTENER = 'handleMessageFromThread'
const prototype = Object.getPrototypeOf(MessagePort.prototype)
const { on } = prototype
const closed = new Set()

prototype.on = function (type, listener) {
  if (listener?.name === LISTENER) {
    const ref = new WeakRef(this)
    this.once('close', () => closed.add(ref))
  }
  return on.call(this, type, listener)
}

/** Collects all garbage before it counts. Recognizes ports of threads that started after this module was loaded. */
export function countPorts() {
  const all = v8.queryObjects(MessagePort, { format: 'count' })
  for (const ref of closed) if (!ref.deref()) closed.delete(ref)
  return { all, kept: closed.size, others: all - closed.size }
}
