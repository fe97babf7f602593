// @ts-check
// The core module: one plugin, whose command downloads a file into the host's directory and streams its progress. If the call ends early
// (it is cancelled, the frontend disconnects, the server hangs up), the partial file is removed.
import { command, defineCore, plugin } from '@sallyport/core'
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** @typedef {{ received: number, total: number | null }} Progress in bytes; `total` is null if the server does not send it */

// A plain name, so that no `..` leads out of the directory.
const Request = v.object({ url: v.pipe(v.string(), v.url()), name: v.pipe(v.string(), v.regex(/^\w[\w.-]{0,99}$/)) })

const downloads = plugin('downloads', {
  commands: { download: command({ args: Request }, download) },
  async setup(app, { config }) {
    const { directory } = /** @type {{ directory: string }} */ (config)
    app.manage(Directory, new Directory(directory))
    // A core that was killed leaves partial files.
    await removePartialFiles(directory)
  },
  // The end of the core can interrupt a download that has just been cancelled.
  teardown: app => removePartialFiles(app.state(Directory).path),
})

/** @param {string} directory */
async function removePartialFiles(directory) {
  const left = (await readdir(directory)).filter(name => /^\..+\.part$/.test(name))
  await Promise.all(left.map(name => rm(join(directory, name), { force: true })))
}

/** The directory for downloads, which the host sets with `createBus({ config: { plugins: { downloads: { directory } } } })`. */
class Directory {
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
  // The capability names the origins for this frontend. Without this check it could fetch any address that the host can reach.
  const { origin } = new URL(url)
  if (!ctx.scope.allow.some(entry => /** @type {{ origin?: string }} */ (entry).origin === origin)) {
    throw `forbidden origin: ${origin}`
  }
  // The signal aborts when the caller cancels or disconnects, and ends every await below.
  const response = await fetch(url, {
    signal: ctx.signal,
    redirect: 'error',
    headers: { 'accept-encoding': 'identity' },
  })
  if (!response.ok || !response.body) throw `the server answered ${response.status}`
  const length = response.headers.get('content-length')
  const total = length === null ? null : Number(length)

  const directory = ctx.state(Directory).path
  const partial = join(directory, `.${randomUUID()}.part`) // names from frontends never begin with a dot
  const output = await open(partial, 'wx')
  try {
    let received = 0
    for await (const chunk of response.body) {
      await output.appendFile(chunk)
      received += chunk.length
      yield { received, total } // waits while the frontend is behind, so nothing is read from the socket either
    }
    await output.close()
    await rename(partial, join(directory, name))
  } finally {
    await output.close()
    await rm(partial, { force: true })
  }
}

export default defineCore({ plugins: [downloads] })
