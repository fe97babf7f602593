// The shape of whole numbers, wherever options have them.
import * as v from 'valibot'

/** Of a timer in Node. */
const MAX_DELAY = 2 ** 31 - 1

export const whole = (what: string, least: number, most: number = MAX_DELAY): v.GenericSchema<number> =>
  v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what))
