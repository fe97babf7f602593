// A registry on 127.0.0.1 that has the packed packages and nothing else: a folder whose settings send the scope @sallyport
// there is installed into as a user would, by name and without overrides. All else comes from the usual registry.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename } from 'node:path'
import { promisify } from 'node:util'

/** @param {string} tarball */
async function manifestOf(tarball) {
  const { stdout } = await promisify(execFile)('tar', ['-xzOf', tarball, 'package/package.json'])
  return JSON.parse(stdout)
}

/**
 * Resolves to its address and a function that ends it.
 *
 * @param {readonly string[]} tarballs paths of files
 */
export async function startRegistry(tarballs) {
  /** @type {Map<string, Buffer | string>} by path */
  const answers = new Map()
  const server = createServer((request, response) => {
    const answer = answers.get(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    response.writeHead(answer ? 200 : 404).end(answer ?? '{}')
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const url = `http://127.0.0.1:${port}`
  for (const tarball of tarballs) {
    const [manifest, bytes] = await Promise.all([manifestOf(tarball), readFile(tarball)])
    const digest = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding)
    // Yarn demands a path of this form.
    const path = `/${manifest.name}/-/${basename(tarball)}`
    const dist = {
      tarball: url + path,
      shasum: digest('sha1', 'hex'),
      integrity: `sha512-${digest('sha512', 'base64')}`,
    }
    const { name, version } = manifest
    answers.set(path, bytes)
    answers.set(
      `/${name}`,
      JSON.stringify({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...manifest, dist } },
        // Old enough for those that wait before they take a new version.
        time: { [version]: '2020-01-01T00:00:00.000Z' },
      }),
    )
  }
  return { url, close: () => server.close() }
}
