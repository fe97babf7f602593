// As calls/ways.test.ts, with each three of bus, way, kind of frontend and size, and each pair of what starts a process for each value. test/matrix has all.
import { onTestFailed, test } from 'vitest'
import { BUS_NAMES, crossRows, manyRows, printRow } from '../../support/ways.js'

const many = manyRows(false)
test.each(BUS_NAMES)(
  'a value of each size crosses on every way: %s',
  async bus => {
    onTestFailed(printRow)
    await crossRows(bus, many)
  },
  1_800_000,
)
