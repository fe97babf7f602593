import { checks } from './checks/path.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('path', checks)
