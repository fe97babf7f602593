// As calls/ways-and-sizes.test.ts, with each size, and more of what starts a process each time.
import { pairRows, testRows } from '../../support/ways.js'

testRows(pairRows(), 600_000)
