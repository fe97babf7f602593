// The functions of @tauri-apps/api, in every environment.
import * as app from './checks/app.mjs'
import * as channel from './checks/channel.mjs'
import * as core from './checks/core.mjs'
import * as event from './checks/event.mjs'
import * as path from './checks/path.mjs'
import * as window from './checks/window.mjs'
import { runEverywhere } from './environments.js'

runEverywhere({
  app: app.checks,
  channel: channel.checks,
  core: core.checks,
  event: event.checks,
  path: path.checks,
  window: window.checks,
})
