import { checks } from './checks/channel.mjs'
import { runEverywhere } from './worlds.js'

runEverywhere('channel', checks)
