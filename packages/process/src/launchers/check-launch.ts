// What a launcher returns, checked before anything is started with it.
import { isAbsolute } from 'node:path'
import { BusError, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { isTexts } from '@sallyport/protocol/internal/util'
import { removeCgroups } from './cgroup.js'
import type { Launch, Launcher, LaunchInfo } from './launcher.js'
import { isExecutable } from './programs.js'

/** What a launcher starts in the place of Node. */
interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/**
 * Lets a launcher say what is started.
 *
 * @param name - of the frontend, in errors
 * @throws {BusError} InvalidParams if it returns something else than a command that can be started; Crashed if it throws
 */
export function getLaunch(name: string, launcher: Launcher, { command, args }: Command, info: LaunchInfo): Launch {
  const subject = `${name} was not started: its launcher ${JSON.stringify(launcher.name)}`
  let launch: Launch
  try {
    launch = launcher.launch(command, args, info)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    throw new BusError('Crashed', `${subject} failed: ${describeThrown(cause)}`, { cause })
  }
  const mistake = findMistake(launch, launcher)
  if (mistake === undefined) return launch
  const { cgroups }: Partial<Launch> = Object(launch)
  if (isTexts(cgroups)) void removeCgroups(cgroups)
  throw new BusError('InvalidParams', `${subject} returned ${mistake}`)
}

const COMMAND_MEMBERS: Readonly<Record<keyof Command, true>> = { command: true, args: true }
const MEMBERS: Readonly<Record<keyof Launch, true>> = {
  ...COMMAND_MEMBERS,
  ...{ env: true, stop: true, filter: true, cgroups: true },
  ...{ processes: true, endsWithParent: true, lowersPriority: true },
}

function findMistake(launch: unknown, { isElsewhere }: Launcher): string | undefined {
  if (launch instanceof Promise) {
    launch.catch(() => {})
    return 'a promise. Do what takes time before the launcher is made: "launch" is not async'
  }
  const mistake = findCommandMistake('', launch, MEMBERS)
  if (mistake !== undefined) return mistake
  const { stop, env } = launch as Launch
  // A variable that the host does not have is left out.
  const wrong = Object.entries(Object(env)).find(([, each]) => !['string', 'undefined'].includes(typeof each))
  if (wrong) return `an "env" whose ${JSON.stringify(wrong[0])} is no string`
  if (stop !== undefined) return findCommandMistake('stop.', stop, COMMAND_MEMBERS)
  return isElsewhere
    ? 'no "stop", without which a process that is elsewhere outlives its command. Return the command that ends it'
    : undefined
}

function findCommandMistake(place: string, value: unknown, members: object): string | undefined {
  const { command, args }: Partial<Record<keyof Command, unknown>> = Object(value)
  const unknown = Object.keys(Object(value)).find(key => !Object.hasOwn(members, key))
  if (unknown !== undefined) return `the unknown member "${place}${unknown}". Use ${Object.keys(members).join(', ')}`
  if (typeof command !== 'string' || !isTexts(args))
    return `no command with arguments. Return ${place === '' ? '' : 'a "stop" of '}{ command: "/usr/bin/ssh", args: [] }`
  if (!isAbsolute(command))
    return `the ${place}command ${JSON.stringify(command)}, which is no absolute path: there is no PATH to look it up in`
  return isExecutable(command)
    ? undefined
    : `the ${place}command ${JSON.stringify(command)}, which does not exist or cannot be executed`
}
