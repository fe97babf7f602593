// Node's permission model: its flags, what a frontend with a module loads and reads under it, and the network, which Node before 25 cannot deny.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FrontendStart } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import {
  type Entry,
  getEntryGrants,
  getModuleGrants,
  getPackageDirectory,
  getReadGrants,
  joinGrants,
  type ReadGrants,
  realModule,
  withRealPath,
  type WriteGrants,
} from './grants.js'

export interface FrontendCode {
  /** Replaces the same options of the frontend's start. */
  code: Pick<FrontendStart, 'module' | 'runner' | 'engine' | 'text'>
  reads: ReadGrants
  writes?: WriteGrants
  flags: readonly string[]
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** Flags of a worker and of a process. Until 22.13 Node had the model as an experiment, and warned of it at each start. */
export const MODEL: readonly string[] =
  major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)
    ? ['--permission']
    : ['--experimental-permission', '--disable-warning=ExperimentalWarning']

/** A frontend with a module that has no file links it with a class that Node has only with a flag, and calls an experiment. */
const TEXT_FLAGS: readonly string[] = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']

/**
 * Grants the frontend its package with its modules, Sallyport's own packages, and the locations of `sandbox.read`.
 *
 * @param core - the core module, if it has a location
 */
export function getModuleCode(
  entry: Entry,
  { module: href, text }: FrontendStart,
  read: readonly URL[],
  core: unknown,
): FrontendCode {
  const module = realModule(href, !text)
  const grants = [getEntryGrants(entry), getModuleGrants(module), ...read.map(getReadGrants)]
  // Code as text has only a directory.
  if (!text && module.protocol === 'file:') {
    const hostFiles = core instanceof URL && core.protocol === 'file:' ? withRealPath(fileURLToPath(core)) : []
    const root = getPackageDirectory(fileURLToPath(module), hostFiles)
    grants.push({ directories: [root], files: [] })
  }
  const loaded = text ?? readForeignModule(module)
  const code = { module: module.href, ...(loaded && { text: loaded }) }
  return { code, reads: joinGrants(grants), flags: loaded ? TEXT_FLAGS : [] }
}

const OWN_IMPORT = /\bimport\b(?:(?!\bimport\b)[^('"])*['"]@sallyport\/frontend['"/]/

/** Returns the text of a module that imports Sallyport, and is where Node does not find it: as text, it gets the host's copy. */
function readForeignModule(module: URL): FrontendStart['text'] {
  if (module.protocol !== 'file:') return undefined
  const path = fileURLToPath(module)
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'node_modules/@sallyport/frontend'))) return undefined
    if (dirname(directory) === directory) break
  }
  const text = readFileSync(path, 'utf8')
  return OWN_IMPORT.test(text) ? { text, name: path } : undefined
}

/** Node before 25 has no flag that grants the network, and denies nothing. */
export const CAN_DENY_NET: boolean = process.allowedNodeEnvironmentFlags.has('--allow-net')

export const getNetFlags = (net = false): string[] => (net && CAN_DENY_NET ? ['--allow-net'] : [])

/** Ways to close the network of a frontend if nothing does. */
const NET_REMEDIES: string =
  'Run the host with Node.js 25 or later, use sandbox: "process" in a wall (npx --no sallyport doctor says what it needs), ' +
  'use sandbox: { kind: "quickjs" }, with process: true for a list of hosts, or start the host without a network, for example in a container with --network none'

/** Why the network of a frontend without a wall is open, if it is. */
export const OPEN_NET: string | undefined = CAN_DENY_NET
  ? undefined
  : `Node.js before 25 cannot deny the network. ${NET_REMEDIES}`

/**
 * @param reason - why a frontend without `net: true` has a network, if it has one
 * @throws {BusError} InvalidParams for `net: false` and a list of hosts if nothing closes the network
 */
export function checkNet(
  place: string,
  net: boolean | readonly string[] | undefined,
  reason: string | undefined,
): void {
  if (net === true || net === undefined || reason === undefined) return
  const value = net === false ? 'false' : 'a list of hosts'
  throw new BusError('InvalidParams', `${place}.net must not be ${value}: ${reason}`)
}
