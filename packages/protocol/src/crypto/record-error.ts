// The one error for whatever is wrong with a record, and for what is no record where only records are taken: who tampers
// learns nothing from it. Apart from `record.ts`, which loads node:crypto.
import { BusError } from '../errors/bus-error.js'

export const recordRefused = (): BusError =>
  new BusError('InvalidRequest', 'A record was refused, and its session is closed')
