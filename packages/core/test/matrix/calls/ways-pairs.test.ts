// Each way of the public API, with each kind of frontend and values of each size: pairs of them. calls/ways.test.ts holds the list against the API.
import { onTestFailed, test } from 'vitest'
import { BUS_NAMES, crossRows, pairRows, printRow } from '../../support/ways.js'

const pairs = pairRows()
test.each(BUS_NAMES)(
  'a value of each size crosses on every way: %s',
  async bus => {
    onTestFailed(printRow)
    await crossRows(bus, pairs)
  },
  600_000,
)
