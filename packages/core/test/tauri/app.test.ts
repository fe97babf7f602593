import { checks } from './checks/app.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('app', checks)
