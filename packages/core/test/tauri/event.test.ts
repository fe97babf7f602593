import { checks } from './checks/event.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('event', checks)
