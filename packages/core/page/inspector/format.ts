// Formats numbers for people.

const integer = new Intl.NumberFormat('en')

/** Formats all digits. */
export const count = (value: number): string => integer.format(value)

function scale(value: number, step: number, units: readonly string[]): string {
  let unit = 0
  let size = value
  for (; size >= step && unit < units.length - 1; unit++) size /= step
  const digits = size >= 99.95 || Number.isInteger(size) ? 0 : size >= 9.995 ? 1 : 2
  return `${size.toFixed(digits)} ${units[unit]}`.trim()
}

export const rate = (value: number): string => scale(value < 10 ? value : Math.round(value), 1000, ['', 'k', 'M', 'G'])
export const bytes = (value: number): string => scale(Math.round(value), 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
export const micros = (value: number): string => scale(value, 1000, ['µs', 'ms', 's'])

/** Formats the two largest units: `3 h 20 min`. */
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
