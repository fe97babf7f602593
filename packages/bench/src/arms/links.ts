// The bus over each of its links, named by link and codec; `auto` would make an arm that means something else in each
// version.
import type { Arm } from '../arm.js'
import { busArm } from './bus.js'

export const portJson: Arm = busArm('port-json', 'port JSON', { codec: 'json', link: 'port' })
export const ringJson: Arm = busArm('ring-json', 'ring JSON', { codec: 'json', link: 'ring' })
export const ringMsgpack: Arm = busArm('ring-msgpack', 'ring msgpack', { codec: 'msgpack', link: 'ring' })

export const isolationPortJson: Arm = busArm('isolation-port-json', 'isolation, port JSON', {
  codec: 'json',
  link: 'port',
  hook: 'check',
})
export const isolationRingJson: Arm = busArm('isolation-ring-json', 'isolation, ring JSON', {
  codec: 'json',
  link: 'ring',
  hook: 'check',
})
export const isolationRingMsgpack: Arm = busArm('isolation-ring-msgpack', 'isolation, ring msgpack', {
  codec: 'msgpack',
  link: 'ring',
  hook: 'check',
})
