// The order in which arms are measured: A B B A, and never the same one first for long.

/**
 * The order of a round. Arms go forwards in one round and backwards in the next (A B C, C B A), so that a machine that warms
 * up or slows down favours none, and each two rounds begin with the next arm: an arm that is measured first, or twice in a
 * row, finds its threads on other cores than the rest do.
 *
 * @param cells all arms of the first case, then all of the second, …
 * @param round 1 and on; 0 is the warm-up
 */
export function inTurns<T>(cells: readonly T[], arms: number, round: number): T[] {
  const first = Math.max(0, Math.floor((round - 1) / 2)) % arms
  return Array.from({ length: cells.length / arms }, (_, at) => {
    const ofCase = cells.slice(at * arms, (at + 1) * arms)
    const turned = [...ofCase.slice(first), ...ofCase.slice(0, first)]
    return round % 2 === 0 ? turned.toReversed() : turned
  }).flat()
}
