// Numbers as people read them.

const whole = new Intl.NumberFormat('en')

/** With its last digit. */
export const count = (value: number): string => whole.format(value)

const scaled = (value: number, step: number, names: readonly string[]): string => {
  let at = 0
  let size = value
  for (; size >= step && at < names.length - 1; at++) size /= step
  const digits = size >= 99.95 || Number.isInteger(size) ? 0 : size >= 9.995 ? 1 : 2
  return `${size.toFixed(digits)} ${names[at]}`.trim()
}

export const rate = (value: number): string => scaled(value < 10 ? value : Math.round(value), 1000, ['', 'k', 'M', 'G'])
export const bytes = (value: number): string => scaled(Math.round(value), 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
export const micros = (value: number): string => scaled(value, 1000, ['µs', 'ms', 's'])

/** `3 h 20 min`: the two largest parts. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

export const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB')
