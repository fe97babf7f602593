// Where a value stands on a track, in percent of its width, so that the page needs no script and fits any screen; and the few
// round values that are written below it.
import { ticks as linearTicks } from 'd3-array'

export interface Scale {
  /** 0 to 100; beyond the ends it is the end. */
  at(value: number): number
  contains(value: number): boolean
  ticks: number[]
}

/** Of these lists that one is taken of which most values lie within the scale, and still have room beside each other. */
const ROUND = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]] as const
const FEWEST = 3

/** How far apart two values have to be written, in percent of a track on a phone. */
const ROOM = 12

/** Room beside the outermost values, as a part of the whole. */
const PADDING = 0.04

/** A scale narrower than this would make noise look like something. */
const NARROWEST = 1.2

/** For times and ratios: equal factors are equal lengths. Values are above zero. */
export function logScale(values: readonly number[]): Scale {
  const middle = Math.sqrt(Math.min(...values) * Math.max(...values))
  const reach = Math.max(Math.sqrt(NARROWEST), Math.max(...values) / middle)
  const half = Math.log(reach) * (1 + 2 * PADDING)
  const [low, high] = [middle * Math.exp(-half), middle * Math.exp(half)]
  const at = (value: number): number => place((Math.log(value) - Math.log(low)) / (2 * half))
  return { at, contains: value => value >= low && value <= high, ticks: logTicks(low, high, at) }
}

/** For what adds up: from zero, or from below it. */
export function linearScale(values: readonly number[]): Scale {
  const low = Math.min(0, ...values)
  const high = Math.max(...values, low + 1e-9) + (Math.max(...values) - low) * PADDING
  return {
    at: value => place((value - low) / (high - low)),
    contains: value => value >= low && value <= high,
    ticks: linearTicks(low, high, 3),
  }
}

const place = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 100

function logTicks(low: number, high: number, at: (value: number) => number): number[] {
  const first = Math.floor(Math.log10(low))
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, step) => first + step)
  const within = (values: number[]): number[] => values.filter(value => value >= low && value <= high)
  const roomy = (values: number[]): boolean =>
    values.every((value, index) => index === 0 || at(value) - at(values[index - 1]!) >= ROOM)
  const lists = ROUND.map(steps => within(powers.flatMap(power => steps.map(step => Number(`${step}e${power}`)))))
  const best = lists.findLast(roomy) ?? []
  if (best.length >= FEWEST) return best
  const linear = [6, 5, 4, 3].map(count => within(linearTicks(low, high, count)))
  return linear.find(roomy) ?? thin(lists[0])
}

/** Every second, third, … of many powers of ten, so that 1 stays if it is there. */
function thin(ticks: readonly number[] = []): number[] {
  const step = Math.ceil(ticks.length / (100 / ROOM - 2))
  const one = Math.max(0, ticks.indexOf(1))
  return ticks.filter((_, index) => (index - one) % step === 0)
}
