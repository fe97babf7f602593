/** True in `npm run test:matrix`, which has time for more. */
export const isMatrix = process.env.SALLYPORT_TEST_WAYS === 'all'

/**
 * Selects the one of several ways that has most parts, which is the last, or those at `indexes`. The matrix tests all.
 *
 * @template T
 * @param {readonly T[]} all
 * @param {...number} indexes - as for `Array.at`
 * @returns {T[]}
 */
export const choose = (all, ...indexes) =>
  isMatrix ? [...all] : (indexes.length > 0 ? indexes : [-1]).map(at => all.at(at))
