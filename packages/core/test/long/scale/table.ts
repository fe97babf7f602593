// Formats the figures as a table with a column for each size.
import type { Measured } from './measure.js'

export function formatTable(sizes: readonly Measured[]): string {
  const line = (what: string, of: (measured: Measured) => string): string =>
    [what.padEnd(36), ...sizes.map(measured => of(measured).padStart(12))].join('')
  const lines = (title: string, part: (measured: Measured) => object, digits: number): string[] => [
    title,
    ...Object.keys(part(sizes[0]!)).map(name =>
      line(`  ${name}`, measured => (part(measured) as Record<string, number>)[name]!.toFixed(digits)),
    ),
  ]
  return [
    line('frontends', ({ frontends }) => String(frontends)),
    ...lines('bytes each', ({ bytes }) => bytes, 0),
    ...lines('functions and blocks run, each', ({ work }) => work, 1),
    ...lines('microseconds each', ({ times }) => times, 1),
  ].join('\n')
}
