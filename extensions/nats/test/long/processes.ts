// Processes for tests, which call them over Node's IPC: instances of core, joined processes, and a hostile client. They run the built
// packages. None outlives its test.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { guard } from './guarded-child.js'

export interface Process {
  readonly pid: number
  /** Calls a method of the process. @throws the error of the method, as `{ reason, message, data }` */
  call<T = unknown>(method: string, args?: unknown): Promise<T>
  /** Sends `SIGSTOP`. */
  pause(): void
  resume(): void
  kill(): Promise<void>
  /** Lets the process close everything. Resolves with its exit code once it has exited by itself. */
  close(): Promise<number | null>
  /** Returns what the process has written to stdout and stderr. */
  output(): string
}

interface Answer {
  id: number
  result?: unknown
  error?: { reason?: string; message: string; data?: unknown }
}

const directory = new URL('processes/', import.meta.url)

/** Starts the module of this name. @throws with the output of a process that exits before it is ready */
export async function startProcess(name: string, options: object): Promise<Process> {
  const env = { ...process.env, SALLYPORT_TEST: JSON.stringify(options) }
  const child = fork(fileURLToPath(new URL(`${name}.mjs`, directory)), {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const exited = guard(child)
  const pending = new Map<number, (answer: Answer) => void>()
  let [output, count] = ['', 0]
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  child.on('message', answer => {
    const { id } = answer as Answer
    pending.get(id)?.(answer as Answer)
    pending.delete(id)
  })
  const toExitError = (): Error => new Error(`${name} exited (${child.exitCode ?? child.signalCode}):\n${output}`)
  void exited.then(() => {
    for (const [id, settle] of pending) settle({ id, error: toExitError() })
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw toExitError()
    }),
  ])

  async function call<T>(method: string, args?: unknown): Promise<T> {
    const id = ++count
    const answer = new Promise<Answer>(resolve => pending.set(id, resolve))
    child.send({ id, method, args }, error => error && pending.get(id)?.({ id, error: toExitError() }))
    const { result, error } = await answer
    if (error) throw Object.assign(new Error(error.message), error)
    return result as T
  }

  return {
    pid: child.pid!,
    call,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async close() {
      await call('close')
      await exited
      return child.exitCode
    },
    output: () => output,
  }
}
