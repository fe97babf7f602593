/**
 * Selects the one of several ways that has most parts, which is the last, or those at `indexes`. `npm run test:matrix` tests all.
 *
 * @template T @param {readonly T[]} all @param {...number} indexes @returns {T[]}
 */
export const choose = (all, ...indexes) =>
  process.env.SALLYPORT_TEST_WAYS === 'all' ? [...all] : (indexes.length > 0 ? indexes : [-1]).map(at => all.at(at))
