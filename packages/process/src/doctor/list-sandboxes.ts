// What each sandbox gives on a machine, as `sallyport doctor` shows it.
import { CAN_DENY_NET } from '../permission-model/net.js'
import type { Launcher } from '../launchers/launcher.js'
import { isNetClosed } from '../launchers/wall.js'

/** For code that its user has not read. */
export const RECOMMENDED = "{ kind: 'process', wall: 'required' }"

export interface SandboxReport {
  readonly sandbox: string
  /** Where its code runs here, or `does not start`. */
  readonly runs: string
  readonly network: 'closed' | 'open'
  /** Whether it holds hostile code: the guide's table "What hostile code can do" has the details. */
  readonly holds: 'yes' | 'unless an engine has a fault' | 'no'
}

/** @param launcher - the strongest one that works, if one does */
export function listSandboxes(launcher: Launcher | undefined, hasProgramWall: boolean): SandboxReport[] {
  const inThread = 'in a thread of the host'
  const inWall = launcher ? `in a process in ${launcher.name}` : undefined
  const walled = (sandbox: string, isPossible = launcher !== undefined): SandboxReport => ({
    ...{ sandbox, runs: isPossible ? (inWall ?? 'in a process') : 'does not start' },
    ...{ network: 'closed', holds: isPossible ? 'yes' : 'no' },
  })
  return [
    walled(RECOMMENDED),
    walled("{ kind: 'quickjs', process: true, wall: 'required' }"),
    {
      ...{ sandbox: "'process'", runs: inWall ?? 'in a process without a wall' },
      ...{ network: isNetClosed(launcher) ? 'closed' : 'open', holds: launcher ? 'yes' : 'no' },
    },
    { sandbox: "'quickjs'", runs: inThread, network: 'closed', holds: 'unless an engine has a fault' },
    { sandbox: "'permission'", runs: inThread, network: CAN_DENY_NET ? 'closed' : 'open', holds: 'no' },
    { sandbox: "'none'", runs: inThread, network: 'open', holds: 'no' },
    walled('startProgram', hasProgramWall),
  ]
}
