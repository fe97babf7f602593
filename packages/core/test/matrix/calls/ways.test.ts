// As calls/ways.test.ts, with all combinations.
import { onTestFailed, test } from 'vitest'
import { BUS_NAMES, crossRows, manyRows, printRow } from '../../support/ways.js'

const many = manyRows(true)
test.each(BUS_NAMES)(
  'a value of each size crosses on every way: %s',
  async bus => {
    onTestFailed(printRow)
    await crossRows(bus, many)
  },
  7_200_000,
)
