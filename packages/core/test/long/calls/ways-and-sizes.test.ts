// With calls/ways-and-sizes.test.ts: each pair of bus, way, kind of frontend and size. Here also beside those who compute, or stop core.
import { otherRows, testRows } from '../../support/ways.js'

testRows(otherRows(), 600_000)
