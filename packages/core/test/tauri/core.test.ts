import { checks } from './checks/core.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('core', checks)
