// @ts-check
// The core module: one plugin, whose command downloads a file into the host's folder and tells of its progress as a stream.
// What ends the call (a cancel, a frontend that goes, a server that hangs up) takes the partial file with it.
import { command, defineCore, plugin } from '@sallyport/core'
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** @typedef {{ received: number, total: number | null }} Progress in bytes; `total` is null where the server does not say */

// A plain name, so that no `..` leads out of the folder.
const Request = v.object({ url: v.pipe(v.string(), v.url()), name: v.pipe(v.string(), v.regex(/^\w[\w.-]{0,99}$/)) })

const downloads = plugin('downloads', {
  commands: { download: command({ args: Request }, download) },
  async setup(app, { config }) {
    const { folder } = /** @type {{ folder: string }} */ (config)
    app.manage(Folder, new Folder(folder))
    // Of a core that was killed: nobody else leaves a partial file behind.
    const left = (await readdir(folder)).filter(name => /^\..+\.part$/.test(name))
    await Promise.all(left.map(name => rm(join(folder, name))))
  },
})

/** Where downloads go: the host says so, by `createBus({ pluginOptions: { downloads: { folder } } })`. */
class Folder {
  /** @param {string} path */
  constructor(path) {
    this.path = path
  }
}

/**
 * @param {v.InferOutput<typeof Request>} args
 * @param {import('@sallyport/core').CommandContext} ctx
 * @returns {AsyncGenerator<Progress, void>}
 */
async function* download({ url, name }, ctx) {
  // The capability says from where this frontend may download: a command that fetches what it is told reaches far.
  const { origin } = new URL(url)
  if (!ctx.scope.allow.some(entry => /** @type {{ origin?: string }} */ (entry).origin === origin)) {
    throw `forbidden origin: ${origin}`
  }
  // The signal aborts when the caller gives up or goes, and so does every await below.
  const response = await fetch(url, {
    signal: ctx.signal,
    redirect: 'error',
    headers: { 'accept-encoding': 'identity' },
  })
  if (!response.ok || !response.body) throw `the server answers ${response.status}`
  const length = response.headers.get('content-length')
  const total = length === null ? null : Number(length)

  const folder = ctx.state(Folder).path
  const partial = join(folder, `.${randomUUID()}.part`) // no name that a frontend may give begins with a dot
  const output = await open(partial, 'wx')
  try {
    let received = 0
    for await (const chunk of response.body) {
      await output.appendFile(chunk)
      received += chunk.length
      yield { received, total } // waits while the frontend is behind: then nothing is read from the socket either
    }
    await output.close()
    await rename(partial, join(folder, name))
  } finally {
    await output.close()
    await rm(partial, { force: true })
  }
}

export default defineCore({ plugins: [downloads] })
