import { runTrials } from '../../fs/run-trials.js'

runTrials('permission', 'isolation')
