// The arms of a process that makes few calls. Each measurement runs in a fresh process.
import type { Arm, Arms } from '../model/scenario.js'
import { measureFewCalls } from '../few-calls/measure-few-calls.js'
import { readVersion } from '../run/machine.js'
import { lacksWall } from './wall.js'

const arm = (id: string, title: string): Arm => ({
  id,
  title,
  open: async () => ({
    measure: ({ ms }, { calls: [greet] }) => measureFewCalls(id, ms, greet!),
    close: async () => {},
  }),
})

const peer = (id: string): Arm => arm(id, `${id} ${readVersion(id)}`)

/** Reads the versions of the peers. */
export const fewCallsArms = (): Arms => [
  arm('raw', 'raw MessagePort'),
  peer('birpc'),
  peer('comlink'),
  arm('ring-json', 'ring JSON'),
  arm('port-json', 'port JSON'),
  arm('isolation-ring-json', 'isolation, ring JSON'),
  arm('process', 'process'),
  { ...arm('process-wall', 'wall, isolation'), lacks: lacksWall },
  arm('ses', 'ses'),
]
