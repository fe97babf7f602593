import { runTrials } from '../../fs/run-trials.js'

runTrials('process', 'brownfield')

runTrials('permission', 'isolation')
