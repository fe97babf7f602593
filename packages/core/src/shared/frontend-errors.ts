// Errors of what names a frontend that does not run.
import { BusError, describeName, didYouMean } from '@sallyport/protocol/internal/errors'
import { isDevelopment } from '@sallyport/protocol/internal/util'

/** Characters of a name that are shown in logs, traces and statistics. */
export const MAX_NAME_LENGTH = 200

/**
 * The error of everything that names a frontend that is not there, or no longer. It can come back, so nothing was delivered yet.
 *
 * @param why - a clause that says why the last frontend with this label has ended
 */
export function createNoFrontendError(label: string, names: Iterable<string>, why?: string): BusError {
  const hint = isDevelopment() ? didYouMean(label, names) : ''
  const text = `There is no frontend ${describeName(label)}${why === undefined ? hint : `: ${why}`}`
  return new BusError('Disconnected', text, { code: 'NO_FRONTEND', data: { delivered: 'no' } })
}

/** @param why - a clause that says why the frontend restarts; `undefined` if the host reloads it */
export function createRestartError(label: string, why: string | undefined): BusError {
  const text = `The frontend ${describeName(label)} is restarting, call it again later${why === undefined ? '' : `: ${why}`}`
  return new BusError('Disconnected', text, { code: 'RESTARTING', data: { delivered: 'no' } })
}
