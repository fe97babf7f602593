import { checks } from './checks/core.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('core', checks)
