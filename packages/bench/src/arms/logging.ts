// The bus with a log at each level, whose lines are told apart and thrown away. A measurement fails where those do not come that
// should, or others do.
import { pino } from 'pino'
import type { Arm } from '../arm.js'
import type { Payload } from '../payloads/payload.js'
import { busArm } from './bus.js'

const RING = { codec: 'json', link: 'ring' } as const

function logArm(level: 'info' | 'debug'): Arm {
  const seen = new Set<string>()
  const log = pino({ level }, { write: line => void seen.add((JSON.parse(line) as { msg: string }).msg) })
  const arm = busArm(level, `log at ${level}`, { ...RING, log })
  return {
    ...arm,
    open: async () => {
      const opened = await arm.open()
      return {
        ...opened,
        measure: async (task, payload) => {
          seen.clear()
          const figures = await opened.measure(task, payload)
          if (writesLines(payload)) expectLines(level, seen)
          return figures
        },
      }
    },
  }
}

function expectLines(level: string, seen: ReadonlySet<string>): void {
  if (seen.has('greeted') && seen.has('asked') === (level === 'debug')) return
  throw new Error(`in the log at ${level} were ${seen.size === 0 ? 'no lines' : [...seen].join(', ')}`)
}

const writesLines = ({ calls }: Payload): boolean => calls.some(({ command }) => command === 'logged_greet')

export const logArms: readonly [Arm, ...Arm[]] = [busArm('off', 'no log', RING), logArm('info'), logArm('debug')]
