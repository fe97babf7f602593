// @ts-check
// All commands that @tauri-apps/plugin-fs calls, with Node's fs. Paths are limited to the scope of the caller's permissions,
// open files are resources, and whole files are sent as raw bytes, as in Tauri.
import { plugin } from '@sallyport/core'
import { entries } from './entries.js'
import { handles } from './handles.js'
import { lines } from './lines.js'
import { permissions } from './permissions.js'
import { watching } from './watching.js'
import { wholeFiles } from './whole-files.js'

export const fs = plugin('fs', {
  commands: { ...entries, ...wholeFiles, ...handles, ...lines, ...watching },
  permissions,
})
