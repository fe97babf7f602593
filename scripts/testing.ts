// What the tests of all packages use to be few: one of several ways where the others do the same, and tables in one test.
import { inspect } from 'node:util'
import { expect, onTestFailed } from 'vitest'

/** True in `npm run test:matrix`, which has time for more. */
export const isMatrix = process.env.SALLYPORT_TEST_WAYS === 'all'

/**
 * Selects the one of several ways that has most parts, which is the last, or those at `indexes`, as for `Array.at`. Of numbers, it selects both ends.
 * The matrix tests all.
 */
export const choose = <T>(all: readonly T[], ...indexes: number[]): T[] => {
  if (isMatrix) return [...all]
  const ends = typeof all[0] === 'number' ? [0, -1] : [-1]
  return [...new Set(indexes.length > 0 ? indexes : ends)].map(at => all.at(at)!)
}

/**
 * What the helpers of tests do after each test, and after all of a file. Files share a process, which loads a helper once: an `afterEach` of
 * its own would be one of the first file.
 */
export const afterTests: Record<'each' | 'all', (() => unknown)[]> = { each: [], all: [] }

/**
 * Tries all rows of a table in one test, and names those that are wrong, with what is wrong. A test that runs out of time names the row that it was in.
 *
 *     test('reads sizes', () => rows({ '1 KiB': 1024, '2 B': 2 })((bytes, text) => expect(readSize(text)).toBe(bytes)))
 *     test('adds', () => rows([[1, 2, 3], [2, 2, 4]])((a, b, sum) => expect(a + b).toBe(sum)))
 *
 * Hooks run before and after all rows.
 *
 * @param table - rows by name, or a list: its rows have their first value as a name, and spread into the arguments of the check
 * @returns a function that takes the check, which throws, or rejects, if a row is wrong: with `expect`, as a test does
 */
export function rows<const Row extends readonly unknown[]>(
  table: readonly Row[],
): (check: (...row: [...Row]) => unknown) => Promise<void>
export function rows<const Row>(table: readonly Row[]): (check: (row: Row) => unknown) => Promise<void>
export function rows<Row>(
  table: Readonly<Record<string, Row>>,
): (check: (row: Row, name: string) => unknown) => Promise<void>
export function rows(table: readonly unknown[] | Readonly<Record<string, unknown>>) {
  return async (check: (...row: any[]) => unknown): Promise<void> => {
    const all = Array.isArray(table)
      ? table.map((row): [string, unknown[]] => (Array.isArray(row) ? [nameOf(row[0]), row] : [nameOf(row), [row]]))
      : Object.entries(table).map(([name, row]): [string, unknown[]] => [name, [row, name]])
    expect(all.length, 'rows').toBeGreaterThan(0)
    const wrong: string[] = []
    let running = ''
    onTestFailed(({ task: { result } }) => {
      if (running === '') return
      for (const error of result?.errors ?? [])
        error.message = [error.message, `It was in ${running} (of ${all.length})`, ...wrong].join('\n')
    })
    for (const [index, [name, row]] of all.entries()) {
      running = `row ${index + 1}, ${name}`
      try {
        await check(...row)
      } catch (error) {
        const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
        wrong.push(`${running}: ${told}`)
      }
    }
    running = ''
    if (wrong.length > 0) expect.fail(`${wrong.length} of ${all.length} rows are wrong\n${wrong.join('\n')}`)
  }
}

const nameOf = (value: unknown): string =>
  (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })).slice(0, 120)
