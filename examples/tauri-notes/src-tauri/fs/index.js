// @ts-check
// The commands that @tauri-apps/plugin-fs calls, all of them, with Node's fs. What is done here in Rust's place: a path is held
// to the scope of the caller's permissions, open files are resources, whole files travel as raw bytes.
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
