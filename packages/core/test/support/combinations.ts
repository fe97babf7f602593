// Few rows of a table of several dimensions: each pair of values, or each triple, is in one of them. Greedy, and the same rows each time.

type Row = readonly unknown[]

function* choose<T>(items: readonly T[], count: number, from = 0): Generator<T[]> {
  if (count === 0) return yield []
  for (let at = from; at <= items.length - count; at++)
    for (const others of choose(items, count - 1, at + 1)) yield [items[at]!, ...others]
}

/**
 * Returns rows of one value of each dimension, such that each `strength` values of different dimensions that are allowed together are in one.
 *
 * @param isAllowed - false for a row that does not exist
 */
export function combine<const Dimensions extends readonly (readonly unknown[])[]>(
  dimensions: Dimensions,
  strength: number,
  isAllowed: (row: { [Key in keyof Dimensions]: Dimensions[Key][number] }) => boolean = () => true,
): { [Key in keyof Dimensions]: Dimensions[Key][number] }[] {
  type Result = { [Key in keyof Dimensions]: Dimensions[Key][number] }
  const places = [...choose([...dimensions.keys()], strength)]
  const toKeys = (row: Row): string[] =>
    places.map(at => at.map(index => `${index}:${dimensions[index]!.indexOf(row[index])}`).join())
  let all: Row[] = [[]]
  for (const values of dimensions) all = all.flatMap(row => values.map(value => [...row, value]))
  const rows = all.filter(row => isAllowed(row as Result)).map(row => ({ row, keys: toKeys(row) }))
  const open = new Set(rows.flatMap(({ keys }) => keys))
  const chosen: Row[] = []
  // Rows with the most that is missing first: those of one pass share little.
  for (let wanted = places.length; wanted > 0 && open.size > 0; wanted--) {
    for (const { row, keys } of rows) {
      if (keys.filter(key => open.has(key)).length < wanted) continue
      for (const key of keys) open.delete(key)
      chosen.push(row)
    }
  }
  return chosen as Result[]
}
