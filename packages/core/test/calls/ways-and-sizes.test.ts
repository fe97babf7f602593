// Each way of the public API, with some kinds of frontend and values of some sizes. long/calls/ways-and-sizes.test.ts adds those that make each pair of
// them. ways.test.ts holds the list against the API.
import { fewRows, testRows } from '../support/ways.js'

testRows(fewRows(), 600_000)
