import { checks } from './checks/window.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('window', checks)
