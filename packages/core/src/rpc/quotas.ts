// Quotas of calls by frontend and command. A frontend with a matching rule gets its own registry, in which limited commands
// count their calls. All other frontends share one registry, so that their calls cost nothing more.
import {
  BusError,
  describeCommand,
  describeName,
  countedStream,
  isAsyncIterable,
  isThenable,
  Throttle,
} from '@sallyport/protocol/internal'
import type { Logger } from 'pino'
import { createGlobMatcher } from '../acl/label-glob.js'
import type { CallQuota } from '../contract/host-core.js'
import { isStream } from './call-table.js'
import type { CommandRegistry, RunnableCommand } from './registry.js'

/** The quota of one command for one frontend: a token bucket, and the number of running calls. */
export class Quota {
  /** Calls per second. After a second without calls, this many can come at once. */
  readonly #rate: number
  readonly #concurrency: number
  /** Tokens of a full bucket: those of one second, at least one. */
  readonly #bucketSize: number
  #tokens: number
  #refilledAt: number
  #runningCount = 0

  /** @param now milliseconds of a monotonic clock, as in all methods */
  constructor({ rate = Infinity, concurrency = Infinity }: Pick<CallQuota, 'rate' | 'concurrency'>, now: number) {
    this.#rate = rate
    this.#concurrency = concurrency
    this.#bucketSize = this.#tokens = Math.max(1, rate)
    this.#refilledAt = now
  }

  get isBusy(): boolean {
    return this.#runningCount >= this.#concurrency
  }

  /** Returns the whole milliseconds until there is a token, 0 if there is one. */
  getRetryAfter(now: number): number {
    if (this.#rate === Infinity) return 0
    this.#tokens = Math.min(this.#bucketSize, this.#tokens + ((now - this.#refilledAt) * this.#rate) / 1000)
    this.#refilledAt = now
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / this.#rate))
  }

  /** Takes a token for a call, for which `getRetryAfter` has returned 0. */
  begin(): void {
    this.#tokens -= 1
    this.#runningCount += 1
  }

  end(): void {
    this.#runningCount -= 1
  }

  /** True if this quota could be replaced by a new one. */
  isIdle(now: number): boolean {
    this.getRetryAfter(now)
    return this.#runningCount === 0 && this.#tokens >= this.#bucketSize
  }
}

export interface Quotas {
  /** Returns the commands of a new session. Its quotas are shared with other sessions of the label, and survive them. */
  acquireRegistry(label: string): CommandRegistry
  /** Has to be called once the session has ended. */
  releaseRegistry(label: string): void
}

type Rule = ReturnType<typeof toRule>

export function createQuotas(
  callQuotas: readonly CallQuota[],
  sharedRegistry: CommandRegistry,
  getLog: () => Logger,
  now: () => number = () => performance.now(),
): Quotas {
  const rules = callQuotas.map(toRule)
  for (const [index, { commands = [] }] of callQuotas.entries()) {
    // A quota without a matching command is a mistake, and would silently limit nothing.
    const unused = commands.filter(glob => ![...sharedRegistry.keys()].some(createGlobMatcher(glob)))
    for (const glob of unused) {
      getLog().warn(`calls.quotas[${index}].commands: no command matches ${describeName(glob)}`)
    }
  }

  const createRegistry = (label: string, labelRules: readonly Rule[]) => {
    const quotas: Quota[] = []
    const commands = [...sharedRegistry.values()].map((command): RunnableCommand => {
      const commandRules = labelRules.filter(rule => rule.matchesCommand(command))
      const commandQuotas = commandRules.map(rule => new Quota(rule, now()))
      quotas.push(...commandQuotas)
      return commandQuotas.length === 0 ? command : limit(command, label, commandQuotas, now, getLog)
    })
    return { registry: new Map(commands.map(command => [command.method, command])), quotas, sessionCount: 0 }
  }

  const registries = new Map<string, ReturnType<typeof createRegistry>>()

  const deleteIdleRegistries = (): void => {
    for (const [label, { sessionCount, quotas }] of registries) {
      if (sessionCount === 0 && quotas.every(quota => quota.isIdle(now()))) registries.delete(label)
    }
  }

  return {
    acquireRegistry(label) {
      const labelRules = rules.filter(rule => rule.matchesLabel(label))
      if (labelRules.length === 0) return sharedRegistry
      if (!registries.has(label)) deleteIdleRegistries()
      const limited = registries.get(label) ?? createRegistry(label, labelRules)
      registries.set(label, limited)
      limited.sessionCount += 1
      return limited.registry
    },
    releaseRegistry(label) {
      const limited = registries.get(label)
      if (limited) limited.sessionCount -= 1
    },
  }
}

function toRule(quota: CallQuota) {
  const labels = quota.labels?.map(createGlobMatcher)
  const commands = quota.commands?.map(createGlobMatcher)
  return {
    ...quota,
    matchesLabel: (label: string) => labels === undefined || labels.some(matches => matches(label)),
    matchesCommand: ({ method, owner }: RunnableCommand) =>
      commands?.some(matches => matches(method)) ?? owner !== 'core',
  }
}

function limit(
  command: RunnableCommand,
  label: string,
  quotas: readonly Quota[],
  now: () => number,
  getLog: () => Logger,
): RunnableCommand {
  const { method, run } = command
  const subject = `${describeCommand(method)} of frontend ${describeName(label)}`
  const refusals = new Throttle<undefined>(
    (_, more) => getLog().warn({ label, command: method, calls: more + 1 }, 'calls rejected: quota exceeded'),
    1,
  )
  const refuse = (text: string, data?: { retryAfter: number }): BusError => {
    refusals.add(undefined)
    return new BusError('Overloaded', text, data && { data })
  }
  return {
    ...command,
    run(args, ctx) {
      if (quotas.some(quota => quota.isBusy)) throw refuse(`The quota of ${subject} allows no more calls at a time`)
      const startedAt = now()
      const retryAfter = Math.max(...quotas.map(quota => quota.getRetryAfter(startedAt)))
      if (retryAfter > 0) throw refuse(`The quota of ${subject} allows no more calls per second`, { retryAfter })
      for (const quota of quotas) quota.begin()
      const end = (): void => quotas.forEach(quota => quota.end())
      const succeed = (value: unknown): unknown => {
        if (isStream(ctx) && isAsyncIterable(value)) return countedStream(value, end)
        end()
        return value
      }
      const fail = (error: unknown): never => {
        end()
        throw error
      }
      let result: unknown
      try {
        result = run(args, ctx)
      } catch (error) {
        fail(error)
      }
      return isThenable(result) ? Promise.resolve(result).then(succeed, fail) : succeed(result)
    },
  }
}
