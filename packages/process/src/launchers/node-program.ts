// The seam to the program that this process runs, for processes that are Node.js themselves: its path and its environment.
import { readlinkSync } from 'node:fs'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isWithin, listRealPaths, type ReadGrants } from '../permission-model/grants.js'

/** Returns the name of the program that contains Node.js, if `process.execPath` starts that program: this one, again and again. */
export function findEmbedder(): string | undefined {
  const { versions, env } = process
  // Deno and Bun have no such module.
  if ((process.getBuiltinModule('node:sea') as Partial<typeof import('node:sea')> | undefined)?.isSea?.())
    return 'a single executable application'
  if ('electron' in versions && !env.ELECTRON_RUN_AS_NODE) return 'Electron without ELECTRON_RUN_AS_NODE'
  return ['nw', 'bun', 'deno'].find(name => name in versions) ?? ['pkg', '__nexe'].find(name => name in process)
}

/** Returns the path of Node.js. @throws {BusError} InvalidParams if it is that of another program */
export function getNodeProgram(): string {
  const embedder = findEmbedder()
  if (embedder === undefined) return process.execPath
  const text = `No process was started: the host runs in ${embedder}, which would start itself again instead of Node.js`
  throw new BusError('InvalidParams', `${text}. Run the host with node, or use a sandbox that is a thread`)
}

/**
 * The time zone of the host: the name is public, and without it the days of a process would be those of UTC. `undefined` if it has no name, as with
 * `TZ=Nowhere/Else`: the type of `Intl` does not say so. As in glibc, a `TZ` of `:/etc/localtime` is the path of a file.
 */
function getTimeZone(): string | undefined {
  const { TZ } = process.env
  const file = TZ === undefined ? '/etc/localtime' : /^:?(\/.+)$/.exec(TZ)?.[1]
  // The first use of `Intl` takes 11 ms.
  return (
    (file && readZone(file)) || (Intl.DateTimeFormat().resolvedOptions() as { timeZone: string | undefined }).timeZone
  )
}

const readZone = (file: string): string | undefined => getZoneOf(file) ?? getZoneOf(readLink(file))

const getZoneOf = (path: string): string | undefined => /\/zoneinfo\/(.+)$/.exec(path)?.[1]

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return path
  }
}

/** Returns the variable `TZ`, if the time zone has a name. */
export function getZoneVariable(): Readonly<Record<string, string>> {
  const zone = getTimeZone()
  return zone === undefined ? {} : { TZ: zone }
}

/** Returns the files of certificates that the host trusts, by their variables. They are public. One that is missing is left out: Node would warn. */
export const getCertificates = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].flatMap(name =>
      listRealPaths([() => process.env[name]]).map(path => [name, path]),
    ),
  )

/**
 * Returns all variables that a process of Node.js gets.
 *
 * @param reads - what it reads: the certificates only if they are there
 */
export function getNodeEnvironment(reads?: ReadGrants): Readonly<Record<string, string>> {
  const electron = process.env.ELECTRON_RUN_AS_NODE ? { ELECTRON_RUN_AS_NODE: '1' } : {}
  const certificates = reads
    ? Object.entries(getCertificates()).filter(([, path]) => isWithin([...reads.directories, ...reads.files], path))
    : []
  return { ...getZoneVariable(), ...electron, ...Object.fromEntries(certificates) }
}
