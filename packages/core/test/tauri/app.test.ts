import { checks } from './checks/app.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('app', checks)
