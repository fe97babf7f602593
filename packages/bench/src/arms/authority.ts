// The bus with more and more that says who may call what.
import type { Arm } from '../arm.js'
import { busArm, LABEL, type BusSettings } from './bus.js'
import { allOf, manyFor, manyScopes } from './capabilities.js'

const MANY = 100

const authorityArm = (id: string, title: string, capabilities: BusSettings['capabilities'] & {}): Arm =>
  busArm(id, title, { codec: 'json', link: 'ring', capabilities })

export const authorityArms: readonly [Arm, ...Arm[]] = [
  authorityArm('open', 'no capability', []),
  authorityArm('1-capability', '1 capability', [allOf(LABEL)]),
  authorityArm('100-capabilities', '100 capabilities', manyFor(LABEL, MANY)),
  authorityArm('100-scopes', '100, with scopes', manyScopes(LABEL, MANY)),
]
