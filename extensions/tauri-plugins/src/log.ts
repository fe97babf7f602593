// The command of @tauri-apps/plugin-log.
import type { App, Plugin } from '@sallyport/core'
import { checkOptions, later, type OptionChecks } from '@sallyport/paths/internal'
import {
  type Args,
  createPlugin,
  getOptionalInteger,
  getOptionalObject,
  getOptionalText,
  getText,
  invalidArg,
  isInteger,
  POSITIVE,
} from './shared/plugin.js'

/** Options of `log`. */
export interface LogOptions {
  /** Lines of one frontend that are logged in one second. Further lines are counted and dropped. @default 1000 */
  maxPerSecond?: number
}

const OPTIONS: OptionChecks<LogOptions> = { maxPerSecond: POSITIVE }
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
const MAX_MESSAGE = 16_384
const MAX_LOCATION = 1024
/** Far more than a frontend can send in one call. */
const MAX_LENGTH = 2 ** 30

/**
 * Returns Tauri's plugin `log`: lines of frontends in the bus's log. Each has its frontend's label, and what the frontend sent as data, so
 * no text can look like another line. Messages are cut after 16384 characters.
 * @throws {BusError} InvalidParams for an invalid option
 */
export function log(options: LogOptions = {}): Plugin<'log'> {
  const { maxPerSecond = 1000 } = checkOptions('log()', options, OPTIONS)
  return createPlugin('log', {
    setup: app => void app.manage(LineQuota, new LineQuota(app, maxPerSecond)),
    teardown: app => app.state(LineQuota).close(),
    commands: {
      log: (args, { app, label, log: logger, state }) => {
        const number = args['level']
        if (!isInteger(number, 1, LEVELS.length)) throw invalidArg('level', 'expected a number from 1 to 5')
        const level = LEVELS[number - 1]!
        const message = cut(getText(args, 'message', MAX_LENGTH), MAX_MESSAGE)
        const data = getData(args)
        if (!state(LineQuota).take(label)) return null
        logger[level]({ ...data }, message)
        app.emitTo(label, 'log://log', { message, level: number, label })
        return null
      },
    },
  })
}

function getData(args: Args): object {
  const location = cut(getOptionalText(args, 'location', MAX_LENGTH) ?? 'webview', MAX_LOCATION)
  const file = getOptionalText(args, 'file', MAX_LENGTH)
  const line = getOptionalInteger(args, 'line')
  const keyValues = Object.entries(getOptionalObject(args, 'keyValues'))
  const values = keyValues.slice(0, 32).map(([key, value]) => [cut(key, 256), cut(toText(value), MAX_LOCATION)])
  return {
    location,
    ...(file !== undefined && { file: cut(file, MAX_LOCATION) }),
    ...(line !== undefined && { line }),
    ...(values.length > 0 && { keyValues: Object.fromEntries(values) as object }),
  }
}

/** An object can have a `toString` that throws. */
const toText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text)

const SECOND_MS = 1000

class LineQuota {
  readonly #app: App
  readonly #max: number
  readonly #counts = new Map<string, number>()
  #endWait: (() => void) | undefined

  constructor(app: App, max: number) {
    this.#app = app
    this.#max = max
  }

  /** Returns false if the frontend has no lines left. */
  take(label: string): boolean {
    const count = (this.#counts.get(label) ?? 0) + 1
    this.#counts.set(label, count)
    this.#endWait ??= later(SECOND_MS, () => this.close())
    return count <= this.#max
  }

  close(): void {
    this.#endWait?.()
    this.#endWait = undefined
    for (const [label, count] of this.#counts) {
      if (count > this.#max)
        this.#app.log.warn({ label, dropped: count - this.#max }, 'Lines of a frontend were dropped')
    }
    this.#counts.clear()
  }
}
