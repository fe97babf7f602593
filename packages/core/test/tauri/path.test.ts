import { checks } from './checks/path.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('path', checks)
