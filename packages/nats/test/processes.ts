// Processes for tests, driven over Node's IPC: instances of core, joined processes, and a hostile client. Each of them runs the
// built package. None outlives its test.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { guard } from './guarded.js'

export interface Process {
  readonly pid: number
  /** @throws what the process has thrown, as `{ reason, message, data }` */
  ask<T = unknown>(method: string, args?: unknown): Promise<T>
  /** Stands still: `SIGSTOP`. */
  stop(): void
  resume(): void
  kill(): Promise<void>
  /** Closes what it has. Gives the code it has ended with, by itself. */
  close(): Promise<number | null>
  /** What it has written, anywhere. */
  output(): string
}

interface Answer {
  id: number
  result?: unknown
  error?: { reason?: string; message: string; data?: unknown }
}

const folder = new URL('processes/', import.meta.url)

/** @param given what its `given` is. Rejects with what it has written where it ends before it is ready. */
export async function startProcess(name: string, given: object): Promise<Process> {
  const env = { ...process.env, SALLYPORT_TEST: JSON.stringify(given) }
  const child = fork(fileURLToPath(new URL(`${name}.mjs`, folder)), {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const gone = guard(child)
  const waiting = new Map<number, (answer: Answer) => void>()
  let [text, count] = ['', 0]
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  }
  child.on('message', answer => {
    const { id } = answer as Answer
    waiting.get(id)?.(answer as Answer)
    waiting.delete(id)
  })
  const ended = (): Error => new Error(`${name} has ended (${child.exitCode ?? child.signalCode}):\n${text}`)
  void gone.then(() => {
    for (const [id, settle] of waiting) settle({ id, error: ended() })
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  await Promise.race([
    once(child, 'message'),
    gone.then(() => {
      throw ended()
    }),
  ])

  async function ask<T>(method: string, args?: unknown): Promise<T> {
    const id = ++count
    const answer = new Promise<Answer>(resolve => waiting.set(id, resolve))
    child.send({ id, method, args }, error => error && waiting.get(id)?.({ id, error: ended() }))
    const { result, error } = await answer
    if (error) throw Object.assign(new Error(error.message), error)
    return result as T
  }

  return {
    pid: child.pid!,
    ask,
    stop: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async close() {
      await ask('close')
      await gone
      return child.exitCode
    },
    output: () => text,
  }
}
