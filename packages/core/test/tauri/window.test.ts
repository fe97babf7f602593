import { checks } from './checks/window.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('window', checks)
