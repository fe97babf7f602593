// The bus with its frontend in each sandbox: the same script in all of them, which differ in nothing else.
import type { Arm } from '../arm.js'
import { busArm, type BusSettings } from './bus.js'
import { memoryArm } from './memory.js'
import { startArm } from './start.js'

export type SandboxName = 'none' | 'permission' | 'process' | 'ses'

const module = new URL('../../frontends/module.js', import.meta.url)
const script = new URL('script.js', module)

export const SANDBOXES: Readonly<Record<SandboxName, BusSettings & { module: URL }>> = {
  none: { sandbox: 'none', module },
  permission: { sandbox: 'permission', module },
  process: { sandbox: 'process', module },
  ses: { sandbox: 'ses', module: script },
}

const each = (arm: (name: SandboxName) => Arm): readonly [Arm, ...Arm[]] => [
  arm('none'),
  arm('permission'),
  arm('process'),
  arm('ses'),
]

const titleOf = (name: SandboxName): string => (name === 'none' ? 'no sandbox' : name)

export const sandboxArms: readonly [Arm, ...Arm[]] = each(name => busArm(name, titleOf(name), SANDBOXES[name]))
export const sandboxStarts: readonly [Arm, ...Arm[]] = each(name => startArm(name, titleOf(name), SANDBOXES[name]))
export const frontendMemory: readonly [Arm, ...Arm[]] = [
  ...each(name => memoryArm(name, titleOf(name))),
  memoryArm('isolation', 'permission, and a gate'),
]
