// Quotas of calls, by frontend and command. A frontend that some rule is for has a registry of its own, in which the commands that
// the rule names count; all others have the one that is for all, so that their calls cost what they would without any rule.
import { BusError, describeCommand, describeName, isAsyncIterable, isThenable, Throttle } from '@sallyport/protocol'
import type { Logger } from 'pino'
import { labelMatcher } from '../acl/label-glob.js'
import type { CallQuota } from '../contract/control.js'
import { countedStream } from '../shared/async-iterable.js'
import { lasts } from './call.js'
import type { CommandRegistry, RunnableCommand } from './registry.js'

// How often one frontend may call one command: a bucket that a call takes a token from, and a count of those that run.

export interface QuotaLimits {
  /** Calls in a second; so many may come at once, after a second without any. */
  rate?: number | undefined
  /** Calls that run at a time. */
  concurrency?: number | undefined
}

export class Quota {
  readonly #limits: QuotaLimits
  /** Of the bucket: a second's calls, one at least. */
  readonly #size: number
  #tokens: number
  #at: number
  #running = 0

  /** @param now milliseconds, here and below, of a clock that never goes back */
  constructor(limits: QuotaLimits, now: number) {
    this.#limits = limits
    this.#size = Math.max(1, limits.rate ?? 1)
    this.#tokens = this.#size
    this.#at = now
  }

  /** So many run already. */
  get isBusy(): boolean {
    return this.#running >= (this.#limits.concurrency ?? Infinity)
  }

  /** Whole milliseconds until there is a token; 0 where there is one. */
  wait(now: number): number {
    const { rate } = this.#limits
    if (rate === undefined) return 0
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#at) * rate) / 1000)
    this.#at = now
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / rate))
  }

  /** A call begins, for which `wait` has given 0. */
  begin(): void {
    this.#tokens -= 1
    this.#running += 1
  }

  /** Its handler has come to its end. */
  end(): void {
    this.#running -= 1
  }

  /** As good as new. */
  isIdle(now: number): boolean {
    this.wait(now)
    return this.#running === 0 && (this.#limits.rate === undefined || this.#tokens >= this.#size)
  }
}

export interface Quotas {
  /** The commands that a frontend's link calls. What was counted over an earlier link goes on. */
  registryOf(label: string): CommandRegistry
  /** Such a link has ended. */
  closed(label: string): void
}

interface Rule extends CallQuota {
  holdsFor(label: string): boolean
  names(command: RunnableCommand): boolean
}

interface Kept {
  readonly registry: CommandRegistry
  readonly counts: readonly Quota[]
  links: number
}

export function createQuotas(
  quotas: readonly CallQuota[],
  registry: CommandRegistry,
  getLog: () => Logger,
  now: () => number = () => performance.now(),
): Quotas {
  const rules = quotas.map(toRule)
  warnAboutUnusedQuotas(rules, registry, getLog)
  const kept = new Map<string, Kept>()

  const make = (label: string, of: readonly Rule[]): Kept => {
    for (const [name, { links, counts }] of kept) {
      if (links === 0 && counts.every(count => count.isIdle(now()))) kept.delete(name)
    }
    const counts: Quota[] = []
    const own = [...registry.values()].map((command): RunnableCommand => {
      const limits = of.filter(rule => rule.names(command)).map(rule => new Quota(rule, now()))
      counts.push(...limits)
      return limits.length === 0 ? command : limited(command, label, limits, now, getLog)
    })
    const made = { registry: new Map(own.map(command => [command.method, command])), counts, links: 0 }
    kept.set(label, made)
    return made
  }

  return {
    registryOf(label: string): CommandRegistry {
      const own = rules.filter(rule => rule.holdsFor(label))
      if (own.length === 0) return registry
      const one = kept.get(label) ?? make(label, own)
      one.links += 1
      return one.registry
    },
    closed(label: string): void {
      const one = kept.get(label)
      if (one) one.links -= 1
    },
  }
}

function toRule(quota: CallQuota): Rule {
  const windows = quota.windows?.map(labelMatcher)
  const commands = quota.commands?.map(labelMatcher)
  return {
    ...quota,
    holdsFor: label => windows === undefined || windows.some(matches => matches(label)),
    names: ({ method, owner }) => commands?.some(matches => matches(method)) ?? owner !== 'core',
  }
}

/** A quota that is for no command is a mistake, and lets through what it was to hold. */
function warnAboutUnusedQuotas(rules: readonly Rule[], registry: CommandRegistry, getLog: () => Logger): void {
  for (const [index, { commands = [] }] of rules.entries()) {
    for (const glob of commands) {
      if ([...registry.keys()].some(labelMatcher(glob))) continue
      getLog().warn(`calls.quotas[${index}].commands: no command is named ${describeName(glob)}`)
    }
  }
}

function limited(
  command: RunnableCommand,
  label: string,
  quotas: readonly Quota[],
  now: () => number,
  getLog: () => Logger,
): RunnableCommand {
  const { method, run } = command
  const what = `${describeCommand(method)} of frontend ${describeName(label)}`
  const refused = new Throttle<undefined>(
    (_, more) => getLog().warn({ label, command: method, calls: more + 1 }, 'refused: over their quota'),
    1,
  )
  const refuse = (text: string, data?: { retryAfter: number }): BusError => {
    refused.add(undefined)
    return new BusError('Overloaded', text, data && { data })
  }
  return {
    ...command,
    run(args, ctx) {
      if (quotas.some(quota => quota.isBusy)) throw refuse(`As many calls of ${what} run as its quota allows`)
      const at = now()
      const retryAfter = Math.max(...quotas.map(quota => quota.wait(at)))
      if (retryAfter > 0) throw refuse(`More calls of ${what} than its quota allows in a second`, { retryAfter })
      for (const quota of quotas) quota.begin()
      const end = (): void => quotas.forEach(quota => quota.end())
      const over = (value: unknown): unknown => {
        if (lasts(ctx) && isAsyncIterable(value)) return countedStream(value, end)
        end()
        return value
      }
      const failed = (error: unknown): never => {
        end()
        throw error
      }
      let result: unknown
      try {
        result = run(args, ctx)
      } catch (error) {
        return failed(error)
      }
      return isThenable(result) ? Promise.resolve(result).then(over, failed) : over(result)
    },
  }
}
