import { checks } from './checks/channel.mjs'
import { runEverywhere } from './environments.js'

runEverywhere('channel', checks)
