// The arms of many frontends on one host, and of as many empty threads or processes. Each measurement has a host of its own.
import type { FrontendOptions } from '@sallyport/core'
import type { Arm, Arms } from '../model/scenario.js'
import { processArm } from './lifecycle.js'

/** The numbers of frontends that are measured. */
export const DENSITY_SIZES = [1, 10, 50] as const

type Frontends = {
  sandbox: FrontendOptions['sandbox'] & {}
  /** Without it, the pattern is brownfield. */
  gates?: 'each' | number
}

/** Frontends, or empty threads or processes, by the id of their arm. */
export const DENSITY: Readonly<Record<string, 'worker' | 'fork' | Frontends>> = {
  worker: 'worker',
  fork: 'fork',
  ...inPatterns('permission', 'permission'),
  ...inPatterns('ses', 'ses'),
  ...inPatterns('ses-group', { kind: 'ses', group: 'bench' }),
  ...inPatterns('process', { kind: 'process', wall: 'none' }),
  ...inPatterns('process-wall', { kind: 'process', wall: 'required' }),
}

/** Without gates, with a gate for each, and with a thread that all gates share. */
function inPatterns(id: string, sandbox: Frontends['sandbox']): Record<string, Frontends> {
  return { [id]: { sandbox }, [`${id}-gates`]: { sandbox, gates: 'each' }, [`${id}-shared`]: { sandbox, gates: 1 } }
}

const densityArm = (id: string, title: string): Arm =>
  processArm(id, title, (rpc, { size = 1 }) => rpc.measureDensity(id, size))

const workers = densityArm('worker', 'empty Workers')

export const densityArms: Arms = [
  workers,
  densityArm('permission', 'permission'),
  densityArm('permission-gates', 'permission, gates'),
  densityArm('permission-shared', 'permission, shared gate'),
]

export const densitySesArms: Arms = [
  workers,
  densityArm('ses', 'ses'),
  densityArm('ses-gates', 'ses, gates'),
  densityArm('ses-shared', 'ses, shared gate'),
  densityArm('ses-group', 'ses group'),
  densityArm('ses-group-shared', 'ses group, shared gate'),
]

export const densityProcessArms: Arms = [
  densityArm('fork', 'empty forks'),
  densityArm('process', 'process'),
  densityArm('process-gates', 'process, gates'),
  densityArm('process-shared', 'process, shared gate'),
]

export const densityWallArms: Arms = [
  densityArm('fork', 'empty forks'),
  densityArm('process-wall', 'process in a wall'),
  densityArm('process-wall-shared', 'process in a wall, shared gate'),
]
