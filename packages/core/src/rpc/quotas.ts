// Quotas of calls by frontend and command. The sessions of a label share them, and they survive the sessions. A frontend without a matching rule
// has none, so that its calls cost nothing more.
import { BusError, type CauseCode, describeCommand, describeName } from '@sallyport/protocol/internal/errors'
import { countedStream, isAsyncIterable, isThenable, Throttle } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import { createGlobMatcher } from '../acl/identifier.js'
import type { CallQuota } from '../contract/host-core.js'
import { type CommandRegistry, type IncomingCall, isStream, type RunnableCommand } from './call-table.js'

/**
 * Absence of pages and of frontends of other processes after which the next one with their label has a life of its own. Shorter ones can
 * be reloads and lost connections, by which hostile code would renew its budget.
 */
const LIFE_AFTER_MS = 30_000

/** The quotas of one frontend, by command. */
export interface FrontendQuotas {
  /** Runs a call. @throws {BusError} Overloaded */
  run(command: RunnableCommand, args: unknown, ctx: IncomingCall): unknown
}

export interface Quotas {
  /**
   * Returns the quotas of a new session, `undefined` if there are none.
   *
   * @param comesAndGoes - true for a page or a frontend of another process, whose end the host does not decide
   */
  acquire(label: string, comesAndGoes?: boolean): FrontendQuotas | undefined
  /** Has to be called once the session has ended. */
  release(label: string): void
  /** The frontend has ended, and does not start again: the next one with this label gets whole budgets. */
  endLife(label: string): void
}

type Rule = ReturnType<typeof toRule>

export function createQuotas(
  callQuotas: readonly CallQuota[],
  registry: CommandRegistry,
  getLog: () => Logger,
  now: () => number = () => performance.now(),
): Quotas {
  const rules = callQuotas.map(toRule)
  for (const [index, { commands = [] }] of callQuotas.entries()) {
    // A quota without a matching command is a mistake, and would silently limit nothing.
    const unused = commands.filter(glob => ![...registry.keys()].some(createGlobMatcher(glob)))
    for (const glob of unused) {
      getLog().warn(`calls.quotas[${index}].commands: no command matches ${describeName(glob)}`)
    }
  }
  const frontends = new Map<string, ReturnType<typeof createFrontendQuotas>>()
  return {
    acquire(label, comesAndGoes = false) {
      const labelRules = rules.filter(rule => rule.matchesLabel(label))
      if (labelRules.length === 0) return undefined
      if (!frontends.has(label)) for (const [other, { isIdle }] of frontends) if (isIdle()) frontends.delete(other)
      const quotas = frontends.get(label) ?? createFrontendQuotas(label, labelRules, now, getLog)
      frontends.set(label, quotas)
      quotas.acquire(comesAndGoes)
      return quotas
    },
    release: label => frontends.get(label)?.release(),
    endLife: label => frontends.get(label)?.endLife(),
  }
}

function createFrontendQuotas(label: string, rules: readonly Rule[], now: () => number, getLog: () => Logger) {
  /** By command: one that replaces another continues its quotas. */
  const limits = new Map<string, CommandLimit>()
  let sessionCount = 0
  let comesAndGoes = false
  let leftAt = 0

  const getQuotas = (): Quota[] => [...limits.values()].flatMap(({ quotas }) => quotas)
  const endLife = (): void => getQuotas().forEach(quota => quota.endLife())
  const endLifeIfAway = (): void => {
    if (sessionCount === 0 && comesAndGoes && now() - leftAt >= LIFE_AFTER_MS) endLife()
  }
  return {
    run(command: RunnableCommand, args: unknown, ctx: IncomingCall): unknown {
      let limit = limits.get(command.method)
      if (!limit) {
        const quotas = rules.filter(rule => rule.matchesCommand(command)).map(rule => new Quota(rule, now()))
        limits.set(command.method, (limit = new CommandLimit(command.method, label, quotas, now, getLog)))
      }
      return limit.quotas.length > 0 ? limit.run(command, args, ctx) : command.run(args, ctx)
    },
    acquire(isVisit: boolean): void {
      endLifeIfAway()
      comesAndGoes = isVisit
      sessionCount += 1
    },
    release(): void {
      sessionCount -= 1
      leftAt = now()
    },
    isIdle(): boolean {
      endLifeIfAway()
      return sessionCount === 0 && getQuotas().every(quota => quota.isIdle(now()))
    },
    endLife,
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

const describeRate = (rate: number): string =>
  rate < 1 ? `${Number((60 * rate).toPrecision(3))}/min` : `${Number(rate.toPrecision(3))}/s`

/** The quota of one command for one frontend: a token bucket, the number of running calls, and a budget of calls. */
export class Quota {
  /** Calls per second. After a second without calls, this many can come at once. */
  readonly rate: number
  readonly concurrency: number
  /** Calls in the life of the frontend, of which `#spent` have begun. */
  readonly calls: number
  /** Tokens of a full bucket: those of one second, at least one. */
  readonly #bucketSize: number
  #tokens: number
  #refilledAt: number
  #runningCount = 0
  #spent = 0

  /** @param now milliseconds of a monotonic clock, as in all methods */
  constructor({ rate = Infinity, concurrency = Infinity, calls = Infinity }: CallQuota, now: number) {
    this.rate = rate
    this.concurrency = concurrency
    this.calls = calls
    this.#bucketSize = this.#tokens = Math.max(1, rate)
    this.#refilledAt = now
  }

  get isBusy(): boolean {
    return this.#runningCount >= this.concurrency
  }

  get isSpent(): boolean {
    return this.#spent >= this.calls
  }

  /** Returns the whole milliseconds until there is a token, 0 if there is one. */
  getRetryAfter(now: number): number {
    if (this.rate === Infinity) return 0
    this.#tokens = Math.min(this.#bucketSize, this.#tokens + ((now - this.#refilledAt) * this.rate) / 1000)
    this.#refilledAt = now
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / this.rate))
  }

  /** Takes a token for a call, for which `getRetryAfter` has returned 0. */
  begin(): void {
    this.#tokens -= 1
    this.#runningCount += 1
    this.#spent += 1
  }

  end(): void {
    this.#runningCount -= 1
  }

  endLife(): void {
    this.#spent = 0
  }

  /** True if this quota could be replaced by a new one. */
  isIdle(now: number): boolean {
    this.getRetryAfter(now)
    const isWhole = this.calls === Infinity || this.#spent === 0
    return this.#runningCount === 0 && this.#tokens >= this.#bucketSize && isWhole
  }
}

/** The quotas of one command for one frontend. */
class CommandLimit {
  readonly quotas: readonly Quota[]
  readonly #subject: string
  readonly #now: () => number
  readonly #refusals: Throttle<string>

  constructor(method: string, label: string, quotas: readonly Quota[], now: () => number, getLog: () => Logger) {
    this.quotas = quotas
    this.#subject = `${describeCommand(method)} of frontend ${describeName(label)}`
    this.#now = now
    this.#refusals = new Throttle<string>(
      (quota, more) => getLog().warn({ label, command: method, quota, ...(more > 0 && { more }) }, 'refused'),
      1,
    )
  }

  /** @throws {BusError} Overloaded, and what the command throws */
  run(command: RunnableCommand, args: unknown, ctx: IncomingCall): unknown {
    this.#check()
    for (const quota of this.quotas) quota.begin()
    const end = (): void => this.quotas.forEach(quota => quota.end())
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
      result = command.run(args, ctx)
    } catch (error) {
      fail(error)
    }
    return isThenable(result) ? Promise.resolve(result).then(succeed, fail) : succeed(result)
  }

  #check(): void {
    const spent = this.quotas.find(quota => quota.isSpent)
    if (spent) this.#refuse('CALLS_SPENT', 'is spent', `${spent.calls} in its life`)
    const busy = this.quotas.find(quota => quota.isBusy)
    if (busy) this.#refuse('TOO_MANY_CALLS', 'allows no more calls at a time', `${busy.concurrency} at a time`)
    const time = this.#now()
    const [slowest] = this.quotas
      .map(quota => ({ rate: quota.rate, retryAfter: quota.getRetryAfter(time) }))
      .toSorted((a, b) => b.retryAfter - a.retryAfter)
    // The log names this one: to raise another would change nothing.
    const { rate, retryAfter } = slowest!
    if (retryAfter > 0) this.#refuse('RATE_LIMITED', 'allows no more calls now', describeRate(rate), { retryAfter })
  }

  #refuse(code: CauseCode, text: string, quota: string, data?: { retryAfter: number }): never {
    this.#refusals.add(quota)
    throw new BusError('Overloaded', `The quota of ${this.#subject} ${text}`, { code, data })
  }
}
