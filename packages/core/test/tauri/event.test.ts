import { checks } from './checks/event.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('event', checks)
