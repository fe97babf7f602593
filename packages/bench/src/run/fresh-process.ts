// Arms in a process of their own. Two runs of the same code differ by what each process happens to be like (where its memory
// lies, what was compiled when), and no number of rounds within one shows it: so rounds are taken from several.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createBirpc } from 'birpc'
import type { Arm, OpenArm } from '../arm.js'
import type { Launched } from './launch.js'
import type { Scenario } from '../scenario.js'
import type { Additions } from '../scenarios/select.js'
import type { ArmHost } from '../workers/arm-host.js'

/** No request takes longer: an arm has deadlines of its own, which are shorter and say more. */
const TIMEOUT_MS = 300_000

/** How long a process may take to end by itself, in milliseconds. */
const PATIENCE_MS = 2000

const ARM_HOST: URL = new URL(import.meta.resolve('#workers/arm-host'))

/**
 * @param additions what the child has to load besides the scenarios of this package
 * @param entry the module that the process runs: this package's own, or that of another checkout
 * @throws Error when the process ends before it is asked for anything
 */
export async function launchFresh(additions: Additions, entry: URL = ARM_HOST): Promise<Launched> {
  const child = fork(entry, [JSON.stringify(additions)], { execArgv: [], serialization: 'advanced' })
  const ended = endOf(child)
  const rpc = createBirpc<ArmHost>({}, { ...channelOf(child), timeout: TIMEOUT_MS })
  let gone: Error | undefined
  void ended.then(how => rpc.$close((gone = new Error(how))))
  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    await ended
    clearTimeout(patience)
  }
  try {
    await Promise.race([rpc.ready(), ended.then(how => Promise.reject(new Error(how)))])
  } catch (error) {
    await end()
    throw error
  }
  return {
    open: async (scenario, arm) => {
      const { measure, close } = await openRemote(rpc, scenario, arm)
      return { measure: async (task, payload) => (gone ? Promise.reject(gone) : measure(task, payload)), close }
    },
    end,
  }
}

type Remote = ReturnType<typeof createBirpc<ArmHost>>

async function openRemote(rpc: Remote, { id: scenario }: Scenario, { id: arm }: Arm): Promise<OpenArm> {
  const handle = await rpc.open(scenario, arm)
  return {
    measure: (task, { id: payload }) => rpc.measure(handle, task, payload),
    close: () => rpc.close(handle),
  }
}

const channelOf = (child: ChildProcess): { post(data: unknown): void; on(receive: (data: unknown) => void): void } => ({
  // What is asked of a process that has gone is answered by its end.
  post: data => void child.send(data as object, () => {}),
  on: receive => void child.on('message', receive),
})

/** How it ends. One that can't be started at all has no exit. */
const endOf = (child: ChildProcess): Promise<string> =>
  once(child, 'exit').then(
    ([code, signal]) => describeEnd(code as number | null, signal as string | null),
    (error: Error) => `its process could not be started: ${error.message}`,
  )

const describeEnd = (code: number | null, signal: string | null): string =>
  `its process has ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`
