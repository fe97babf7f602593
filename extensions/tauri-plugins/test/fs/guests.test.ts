import { runTrials } from './run-trials.js'

runTrials('permission', 'brownfield')
