// The machine that measures, and the package that does.
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Load averages are of 1 minute, before and after the run; 0 on Windows. */
export interface Machine {
  cpu: string
  cores: number
  memoryBytes: number
  platform: string
  release: string
  arch: string
  /** The version of Node.js, as `v24.0.0`. */
  node: string
  loadBefore: number
  loadAfter: number
}

export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100

export const readMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() || 'unknown CPU',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  ...{ platform: platform(), release: release(), arch: arch(), node: process.version },
  ...{ loadBefore: readLoad(), loadAfter: readLoad() },
})

export const describeMachine = (machine: Machine): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export type PackageInfo = Record<'name' | 'version', string>

/** @param directory - of a package, as seen from the module at `url`, or the name of one */
export function readPackage(url: string, directory: string): PackageInfo {
  const { name, version }: PackageInfo = createRequire(url)(`${directory}/package.json`)
  return { name, version }
}
