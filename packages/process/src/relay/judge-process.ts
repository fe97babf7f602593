// Why a process has ended, from all that its relay knows, in whatever order it became known.
import type { LifecycleState } from '@sallyport/protocol/internal/contract'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { describeMemory, type ExceededLimit } from '../child/limits.js'
import type { ProcessStatus } from './node-process.js'

/** Of what a launcher said last, in an error. */
const MAX_LINE_LENGTH = 300

export interface ProcessEvidence {
  /** What the process is called in errors. */
  readonly name: string
  readonly status: ProcessStatus
  readonly maxMemory?: number | undefined
  /** Its limits are held elsewhere, where nobody says which was reached. */
  readonly isElsewhere?: boolean
  readonly killedFor?: BusError | undefined
  /** The host has asked it to stop. */
  readonly isStopping: boolean
  readonly lifecycle: LifecycleState | undefined
  /** It has been started before it was known for what. */
  readonly isSpare: boolean
  /** What was started in place of Node, and by which launcher. */
  readonly launcher?: { readonly name: string; readonly command: string } | undefined
}

export interface ProcessEnd {
  readonly error: BusError | undefined
  /** It ended by the order to stop, and could not say so. */
  readonly wasStopped: boolean
}

export function judgeProcess({ name, status, isStopping, ...evidence }: ProcessEvidence): ProcessEnd {
  const { signal, wasKilled, outOfMemory } = status
  const { lifecycle, isSpare, isElsewhere, maxMemory } = evidence
  const isForced = wasKilled && signal === 'SIGKILL'
  // A service manager ends all processes of a service by SIGTERM, while the host closes the bus.
  const wasEnded = isStopping && (isForced || signal === 'SIGTERM')
  const limit = status.limit ?? (isElsewhere ? undefined : findRefusedMemory(outOfMemory, maxMemory))
  let error = limit ? createEnd(`${name} ${limit.text}`, { limit: limit.limit, max: limit.max }) : evidence.killedFor
  // Containers are ended so by the kernel.
  const isGuessed = isElsewhere && maxMemory !== undefined && status.isReported && !wasKilled && signal === 'SIGKILL'
  const guess = isGuessed ? `. It probably ${describeMemory(maxMemory)}` : ''
  // It had exited before it could be killed for its silence.
  if (isBusError(error, 'Timeout') && !isForced) error = undefined
  // A process that has crashed, or that another program has killed, can be asked to stop before its exit is known.
  if (!error && !wasEnded && (signal || outOfMemory)) {
    error = createEnd(outOfMemory ? `${name} ran out of memory` : `${name} was terminated by ${signal}${guess}`)
  }
  const { launcher } = evidence
  const isOther = limit !== undefined || outOfMemory !== undefined || isBusError(error, 'InternalError')
  const isUnheard = status.hasGreeted === false && !isStopping && !isOther
  if (isUnheard && launcher) error = createEnd(explainLauncher(name, launcher, status, error, guess))
  const hasBegun = lifecycle === 'ready' || lifecycle === 'draining' || (lifecycle === undefined && !isSpare)
  return { error, wasStopped: !error && wasEnded && hasBegun }
}

/** It passes on a command, and has ended before that: a missing image, a closed standard input, or a wrong option. */
function explainLauncher(
  name: string,
  { name: launcher, command }: NonNullable<ProcessEvidence['launcher']>,
  { code, signal, lastLines = [] }: ProcessStatus,
  error: BusError | undefined,
  guess: string,
): string {
  const isSilent = isBusError(error, 'Timeout')
  // It can have broken no other rule of the protocol.
  const isFlood = isBusError(error, 'InvalidRequest')
  const ended = isSilent ? 'was ended' : `was terminated by ${signal}`
  const how = isFlood ? 'printed more than 64 KiB' : signal === null ? `exited with code ${code}` : ended
  const said = lastLines.filter(Boolean).map(line => line.slice(0, MAX_LINE_LENGTH))
  const last = said.length > 0 ? `. It said last: ${explainFlags(said.join('; and to standard output: '))}` : ''
  const more = [last, guess].join('')
  return `${isSilent ? error.message : name}: its launcher ${JSON.stringify(launcher)} (${command}) ${how} before the process started${more}`
}

/** Flags that another Node.js does not know. */
const explainFlags = (line: string): string =>
  /\bbad option: /.test(line) ? `${line}. It must start Node.js ${process.version}, as this host has` : line

const findRefusedMemory = (what: ProcessStatus['outOfMemory'], max: number | undefined): ExceededLimit | undefined =>
  what === 'process' && max !== undefined
    ? { limit: 'memory', max, text: `could not allocate memory (limit: ${max} MiB)` }
    : undefined

/** No place in Sallyport's own files is to blame for it. */
function createEnd(text: string, data?: object): BusError {
  const error = new BusError('Crashed', text, data && { data })
  error.stack = `${error.name}: ${text}`
  return error
}
