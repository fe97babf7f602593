// @ts-check
// All commands that @tauri-apps/plugin-fs calls, with Node's fs. Paths are limited to the scope of the caller's permissions,
// open files are resources, and whole files are sent as raw bytes, as in Tauri.
import { plugin } from '@sallyport/core'
import { entries } from './entries.js'
import { handles } from './handles.js'
import { lines } from './lines.js'
import { inOrder } from './order.js'
import { permissions } from './permissions.js'
import { watching } from './watching.js'
import { wholeFiles } from './whole-files.js'

const commands = Object.entries({ ...entries, ...wholeFiles, ...handles, ...lines, ...watching })

/** @param {string} name @param {Function} run @returns {import('@sallyport/core').AnyCommand} */
const ordered = (name, run) => (args, ctx) => inOrder(name === 'rename', () => run(args, ctx))

export const fs = plugin('fs', {
  commands: Object.fromEntries(commands.map(([name, run]) => [name, ordered(name, run)])),
  permissions,
})
