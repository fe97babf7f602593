// @ts-check
// The core module: what plugins may ask for. `files` reads and writes in folders that the caller's own scope names, and in no
// other; a notice goes to the host with the label of who sent it, which no plugin chooses.
import { command, defineCore, plugin } from '@sallyport/core'
import { constants } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

// One plain name in a folder that is known by its name: no path comes from a plugin, so none can lead elsewhere.
const Place = v.object({ folder: v.string(), name: v.pipe(v.string(), v.regex(/^\w[\w.-]{0,99}$/)) })
const Written = v.object({ ...Place.entries, text: v.pipe(v.string(), v.maxLength(65_536)) })

/**
 * @param {v.InferOutput<typeof Place>} place
 * @param {import('@sallyport/core').CommandContext} ctx
 */
function pathOf({ folder, name }, ctx) {
  const folders = /** @type {{ folder: string, at: string }[]} */ (ctx.scope.allow)
  const found = folders.find(entry => entry.folder === folder)
  if (!found) throw `forbidden folder: ${folder}`
  return join(found.at, name)
}

/** A link that somebody left in the folder is not followed. Windows has no such flag. */
const NO_LINK = constants.O_NOFOLLOW ?? 0

const files = plugin('files', {
  commands: {
    read_text: command({ args: Place }, (place, ctx) =>
      readFile(pathOf(place, ctx), { encoding: 'utf8', flag: /** @type {any} */ (constants.O_RDONLY | NO_LINK) }),
    ),
    write_text: command({ args: Written }, ({ text, ...place }, ctx) =>
      writeFile(pathOf(place, ctx), text, {
        flag: /** @type {any} */ (constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NO_LINK),
      }),
    ),
  },
})

export default defineCore({
  commands: {
    notify: command({ args: v.object({ text: v.pipe(v.string(), v.maxLength(200)) }) }, ({ text }, { app, label }) =>
      app.emit('notice', { label, text }),
    ),
  },
  plugins: [files],
})
