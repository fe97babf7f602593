// The attempt to start Node by a launcher on this machine: beside other work of the host, or at once for callers of `bubblewrap()`.
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { getNodeEnvironment } from './node-program.js'
import { withFilterFile } from './filter-file.js'
import type { Launcher } from './launcher.js'

const TIMEOUT_MS = 10_000

/** A command that a launcher tries. */
export interface Trial {
  command: string
  args: readonly string[]
  /** Content of the file at descriptor 5. */
  filter?: Uint8Array | undefined
}

export interface TrialResult {
  /** The exit code. */
  status: number | null
  stdout: string
  stderr: string
  error?: Error | undefined
}

/** Yields commands, gets their results, and returns what works, such as a launcher. @throws {LauncherUnavailable} */
export type Attempt<T = Launcher> = Generator<Trial, T, TrialResult>

/** Most hosts start no process: they need not load the module. */
const getModule = (): typeof import('node:child_process') => process.getBuiltinModule('node:child_process')

const getOptions = (descriptor: number | undefined) => {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', descriptor ?? 'ignore']
  return { env: getNodeEnvironment(), cwd: '/', timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdio } as const
}

/** Blocks this thread for up to 50 ms. */
export function makeAttemptNow(attempt: Attempt): Launcher {
  let step = attempt.next()
  while (!step.done) {
    const { command, args, filter } = step.value
    const result = withFilterFile(filter, tmpdir(), descriptor =>
      getModule().spawnSync(command, args, { encoding: 'utf8', ...getOptions(descriptor) }),
    )
    // Without a process there is no output.
    step = attempt.next({ ...result, stdout: result.stdout ?? '', stderr: result.stderr ?? '' })
  }
  return step.value
}

/** What a process or the machine lacks at the moment: it says nothing of a launcher. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])

/** Leaves this thread free. @throws an error of the system if the process cannot be started for a lack of descriptors, processes or memory */
export async function makeAttempt<T>(attempt: Attempt<T>): Promise<T> {
  let step = attempt.next()
  while (!step.done) {
    const { command, args, filter } = step.value
    const child = withFilterFile(filter, tmpdir(), descriptor =>
      getModule().spawn(command, args, getOptions(descriptor)),
    )
    step = attempt.next(await getResult(child))
  }
  return step.value
}

async function getResult(child: ChildProcess): Promise<TrialResult> {
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    // Absent if no descriptors are left.
    child[name]?.setEncoding('utf8').on('data', (text: string) => (texts[name] += text))
  }
  try {
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, ...texts }
  } catch (error) {
    if (SHORTAGES.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return { status: null, ...texts, error: error as Error }
  }
}
