import type { BusOptions } from '@sallyport/core'

/** A logger that keeps warnings and errors as lines of JSON. */
export function createLog(lines: string[]): NonNullable<BusOptions['log']> {
  const ignore = (): void => {}
  const warn = (...parts: unknown[]): void => void lines.push(JSON.stringify(parts))
  const levels = { trace: ignore, debug: ignore, info: ignore, warn, error: warn, fatal: warn }
  const log = { level: 'warn', child: () => log, ...levels }
  return log as unknown as NonNullable<BusOptions['log']>
}
