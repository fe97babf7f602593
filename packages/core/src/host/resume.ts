// `bus.resume`: goes on with a run that a command has interrupted.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { BusError, describeName, notSerializable, toBusError } from '@sallyport/protocol/internal/errors'
import { check } from '../shared/validate.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'
import { resolveRun } from '../options/resolve-run.js'
import { getResumePlaces, resumeSchema } from '../options/schema.js'
import type { ResumeAnswer, ResumeOptions } from '../options/types.js'
import { checkSendableArguments } from './call-frontend.js'
import { execute } from './run.js'
import { RESUME_PROCESS, RESUME_SANDBOX } from '../life/sandboxes/kinds.js'
import { readImageOf } from '../life/sandboxes/quickjs.js'
import type { ContinuationHeader } from '../life/continuations/suspension.js'
import { hashCode } from '../life/continuations/sealed-continuation.js'

const WHERE = 'bus.resume'

export async function resume(
  host: Host<LocalCore>,
  sealed: Uint8Array,
  answer: ResumeAnswer,
  options: ResumeOptions = {},
): Promise<unknown> {
  const continuations = host.options.continuations!
  const args = toArguments(answer)
  check(WHERE, resumeSchema, options, getResumePlaces)
  const continuation = await continuations.open(sealed)
  const { header, snapshot } = continuation
  checkHeader(header, options)
  const place = header.hasProcess ? RESUME_PROCESS : RESUME_SANDBOX
  const { source: _source, label: _label, sandbox = place, ...runOptions } = options
  const defaults = { ...host.options, threads: host.sharedThreads }
  const resolved = await resolveRun(WHERE, '', { ...runOptions, sandbox }, defaults)
  const { engine, hasProcess } = resolved.config.sandbox
  if (engine === undefined) throw invalid(`sandbox must be ${describeName(RESUME_SANDBOX)}`)
  const image = await readImageOf(header.engine)
  // Its state is that of code which was to be kept out of this process.
  if (header.hasProcess && !hasProcess) {
    const remedy = `Resume it with sandbox ${JSON.stringify(RESUME_PROCESS)}, or leave sandbox out`
    throw invalid(`the run was in a process, and cannot go on in a thread. ${remedy}`)
  }
  checkAnswer(args, resolved.config.codec)
  const release = continuations.reserve(header.id)
  try {
    const { config, limits } = resolved
    const run = { ...config.run, madeCalls: header.calls, maxCalls: limits.calls }
    return await execute(host, {
      where: WHERE,
      source: '',
      resolved: {
        ...resolved,
        args,
        label: header.isNamed ? header.label : undefined,
        // What cannot be loaded is not claimed.
        config: { ...config, snapshot, image, run, loaded: true },
      },
      options: runOptions,
      resumed: { ...continuation, claim: () => continuations.claim(header.id) },
    })
  } finally {
    release()
  }
}

const invalid = (text: string): BusError => new BusError('InvalidParams', `${WHERE}: ${text}`)

/** Returns the outcome of the interrupted call as a script gets it. @throws {BusError} InvalidParams */
function toArguments(answer: ResumeAnswer): object {
  const isObject = typeof answer === 'object' && answer !== null
  const keys = isObject ? Object.keys(answer) : []
  if (keys.length !== 1 || (keys[0] !== 'value' && keys[0] !== 'error'))
    throw invalid('the answer must be { value } or { error }')
  if ('value' in answer) return { value: answer.value ?? null }
  const { message, reason, data } = toBusError(WHERE, answer.error)
  return { error: { message, reason, ...(data !== undefined && { data }) } }
}

/** Finds what cannot be sent before the continuation is used up. @throws {BusError} InvalidParams */
function checkAnswer(args: object, codec: CodecName): void {
  try {
    checkSendableArguments(args, codec)
  } catch (cause) {
    throw notSerializable(`The answer of ${WHERE}`, 'InvalidParams', cause, args)
  }
}

/** @throws {BusError} InvalidParams */
function checkHeader(header: ContinuationHeader, { label, source }: ResumeOptions): void {
  if (label !== undefined && !(header.isNamed && header.label === label)) {
    const made = header.isNamed ? `label ${describeName(header.label)}` : 'no label of its own'
    throw invalid(`the continuation is of a run with ${made}, not ${describeName(label)}`)
  }
  if (source !== undefined && hashCode(source) !== header.code) throw invalid('the continuation is of other code')
}
