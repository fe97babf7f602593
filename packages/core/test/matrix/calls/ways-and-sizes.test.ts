// As long/calls/ways-and-sizes.test.ts, with each three of bus, way, kind and size.
import { testRows, tripleRows } from '../../support/ways.js'

testRows(tripleRows(), 7_200_000)
