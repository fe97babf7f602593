// Each way of the public API, with each kind of frontend and values of each size: pairs of them. ways.test.ts holds the list against the API.
import { fewRows, testRows } from '../support/ways.js'

testRows(fewRows(), 600_000)
