// What was called: each call that came to a command of the app or a plugin, in the order in which they came.
import type { Middleware } from '../middleware.js'

export interface RecordedCall {
  /** Of the frontend that called. */
  readonly label: string
  readonly command: string
  /** As they came: a copy, but for channels and what else can't be copied. */
  readonly args: unknown
  readonly status: 'running' | 'succeeded' | 'failed'
  /** Of one that has succeeded: a copy, likewise. A stream has none. */
  readonly result?: unknown
  /** Of one that has failed: what its command has thrown. */
  readonly error?: unknown
}

export interface Recorder {
  readonly record: Middleware
  /** Those of one command, or all. */
  calls(command?: string): readonly RecordedCall[]
}

export function createRecorder(): Recorder {
  const calls: RecordedCall[] = []
  return {
    async record({ command, args, ctx }, next) {
      const at = calls.length
      const call = { label: ctx.label, command, args: copyOf(args) }
      calls.push({ ...call, status: 'running' })
      try {
        const result = await next()
        calls[at] = { ...call, status: 'succeeded', ...(!isStream(result) && { result: copyOf(result) }) }
        return result
      } catch (error) {
        calls[at] = { ...call, status: 'failed', error }
        throw error
      }
    },
    calls: command => calls.filter(call => command === undefined || call.command === command),
  }
}

const isStream = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result

/** Of each member by itself: a channel, which can't be copied, is one of them. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  try {
    return structuredClone(value)
  } catch {
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tried(member)]))
  }
}

function tried(member: unknown): unknown {
  try {
    return structuredClone(member)
  } catch {
    return member
  }
}
