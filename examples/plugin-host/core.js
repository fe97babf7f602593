// @ts-check
// The core module: the commands of plugins. `files` reads and writes only in directories that the caller's scope names. A notice goes to
// the host with the label of its sender, which the plugin cannot choose.
import { command, defineCore, plugin } from '@sallyport/core'
import { constants } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

// One plain name in a named directory. Plugins pass no paths, so none can lead elsewhere.
const Place = v.object({ directory: v.string(), name: v.pipe(v.string(), v.regex(/^\w[\w.-]{0,99}$/)) })
const Written = v.object({ ...Place.entries, text: v.pipe(v.string(), v.maxLength(65_536)) })

/**
 * @param {v.InferOutput<typeof Place>} place
 * @param {import('@sallyport/core').CommandContext} ctx
 */
function pathOf({ directory, name }, ctx) {
  const directories = /** @type {{ directory: string, at: string }[]} */ (ctx.scope.allow)
  const found = directories.find(entry => entry.directory === directory)
  if (!found) throw `forbidden directory: ${directory}`
  return join(found.at, name)
}

/** Refuses to follow a symbolic link in the directory. Windows has no such flag. */
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
