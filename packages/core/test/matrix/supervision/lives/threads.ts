// The threads of a bus by what they are for, to terminate them as if they had ended by themselves. Tests mock life/workers/spawn.js with this module.
import type { Worker } from 'node:worker_threads'
import type * as Spawn from '../../../../src/life/workers/spawn.js'

/** `gate`: of one frontend; `gates`, `relays` and `scripts`: shared. */
export type Role = 'core' | 'frontend' | 'gate' | 'gates' | 'relays' | 'scripts'

interface Thread {
  readonly worker: Worker
  readonly role: Role
  /** Of a frontend or its gate. */
  label: string | undefined
}

const threads = new Set<Thread>()

export const getThreads = (role: Role, label?: string): Worker[] =>
  [...threads]
    .filter(thread => thread.role === role && (label === undefined || thread.label === label))
    .map(({ worker }) => worker)

function getRole(entry: Spawn.Entry, data: Record<string, unknown>): Role {
  if (typeof entry === 'string' && entry.includes('relay')) return 'relays'
  if ('isShared' in data) return data['isShared'] ? 'gates' : 'gate'
  if ('engineModule' in data) return 'scripts'
  return 'label' in data ? 'frontend' : 'core'
}

export async function recording(original: () => Promise<typeof Spawn>): Promise<typeof Spawn> {
  const spawn = await original()
  return {
    ...spawn,
    spawnWorker(entry, data, transfer, options) {
      const worker = spawn.spawnWorker(entry, data, transfer, options)
      const { label } = Object(data) as { label?: string }
      const thread: Thread = { worker, role: getRole(entry, Object(data) as Record<string, unknown>), label }
      threads.add(thread)
      worker.once('exit', () => threads.delete(thread))
      if (thread.role !== 'gate') return worker
      // The first message to a gate has its label.
      const post = worker.postMessage.bind(worker)
      worker.postMessage = (message: unknown, list?: never) => {
        thread.label ??= (Object(message) as { label?: string }).label
        post(message, list)
      }
      return worker
    },
  }
}
