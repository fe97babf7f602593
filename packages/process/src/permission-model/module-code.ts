// What a frontend with a module loads under Node's permission model, what it reads for that, and the flags that it needs.
import { fileURLToPath } from 'node:url'
import type { FrontendStart } from '@sallyport/protocol/internal/contract'
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
  code: Pick<FrontendStart, 'module' | 'runner' | 'engine'>
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
    grants.push({ directories: [getPackageDirectory(fileURLToPath(module), hostFiles)], files: [] })
  }
  return { code: { module: module.href }, reads: joinGrants(grants), flags: text ? TEXT_FLAGS : [] }
}
