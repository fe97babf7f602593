// The CPU time of this machine, and the packages that a run measures.
import { sum } from 'd3-array'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

type CpuTimes = { total: number; busy: number }

/** Returns the CPU time of all cores in milliseconds, since an earlier result or the machine's start. */
export function readCpuTimes(since: CpuTimes = { total: 0, busy: 0 }): CpuTimes {
  const times = cpus().map(cpu => cpu.times)
  const total = sum(times.flatMap(each => Object.values(each)))
  return { total: total - since.total, busy: total - sum(times, ({ idle }) => idle) - since.busy }
}

type PackageInfo = Record<'name' | 'version', string>

const readManifest = (file: URL): PackageInfo => JSON.parse(readFileSync(file, 'utf8')) as PackageInfo

export function readPackageInfo(): PackageInfo {
  const { name, version } = readManifest(new URL('../../package.json', import.meta.url))
  return { name, version }
}

/** Finds the directory of a package, without a look at its exports. */
export const findPackage = (name: string): string | undefined =>
  (createRequire(import.meta.url).resolve.paths(name) ?? [])
    .map(place => join(place, name))
    .find(path => existsSync(join(path, 'package.json')))

export function readVersion(dependency: string): string {
  const found = findPackage(dependency)
  if (found === undefined) throw new Error(`${dependency} is not installed`)
  return readManifest(pathToFileURL(join(found, 'package.json'))).version
}
