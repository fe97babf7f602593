// One event of a trace as a line of JSON. Frontends hand in what they have recorded, and are not trusted: what is written is what
// an event has, and no more of it than there is room for.
import { isBytes } from '@sallyport/protocol'

const PHASES: ReadonlySet<unknown> = new Set(['b', 'e', 'X', 'i', 'M'])
const MAX_TEXT = 200
const MAX_ARGS = 8

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined

/** Empty where it is no event. */
export function traceLine(event: unknown): string {
  if (typeof event !== 'object' || event === null || isBytes(event)) return ''
  const { name, cat, ph, ts, pid, tid, id, dur, s, args } = event as Record<string, unknown>
  if (typeof name !== 'string' || !PHASES.has(ph) || ![ts, pid, tid].every(isNumber)) return ''
  return JSON.stringify({
    name: textOf(name),
    cat: textOf(cat) ?? '',
    ph,
    ts,
    pid,
    tid,
    id: textOf(id),
    dur: isNumber(dur) ? dur : undefined,
    s: s === 't' ? s : undefined,
    args: argsOf(args),
  })
}

function argsOf(args: unknown): Record<string, string | number | boolean> | undefined {
  if (typeof args !== 'object' || args === null || isBytes(args)) return undefined
  const kept: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(args).slice(0, MAX_ARGS)) {
    const plain = isNumber(value) || typeof value === 'boolean' ? value : textOf(value)
    if (plain !== undefined) kept[name.slice(0, MAX_TEXT)] = plain
  }
  return kept
}
