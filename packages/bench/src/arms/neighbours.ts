// Scripts that answer calls while another one, in the same script host, reaches a limit again and again.
import { createBus, defineCore, type QuickjsSandbox } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { repeat } from '../loops/subject.js'
import type { Arm, Arms, Measurement, OpenArm, Task } from '../model/scenario.js'
import { withWall } from './wall.js'

const COUNT = 100
/** Milliseconds that a script can run without a pause, and that its neighbours can wait. */
const TIME_MS = 20
/** Between two runs that reach a limit. */
const PAUSE_MS = 200

const SCRIPT = `sallyport.expose({ add: ({ a, b }) => a + b })`

const UNRULY = {
  loop: 'for (;;);',
  expression: `return /^(a+)+$/.test('a'.repeat(40) + 'b')`,
  memory: `const kept = []; for (;;) kept.push('x'.repeat(2 ** 20) + kept.length)`,
} as const

const neighboursArm = (id: string, title: string, options: Partial<QuickjsSandbox>): Arm => ({
  ...{ id, title },
  async open(): Promise<OpenArm> {
    const bus = await createBus({ core: defineCore({ commands: {} }), log: false })
    const sandbox: QuickjsSandbox = { kind: 'quickjs', time: TIME_MS, ...options }
    const labels = Array.from({ length: COUNT }, (_, number) => `neighbour-${number}`)
    await Promise.all(labels.map(label => bus.open(label, { source: SCRIPT }, { sandbox })))

    async function measure(task: Task): Promise<Measurement> {
      const { unruly } = task
      let isOver = false
      const runUnruly = async (): Promise<void> => {
        while (!isOver && unruly) {
          const isEnded = await bus.run(UNRULY[unruly], { sandbox }).then(
            () => false,
            () => true,
          )
          if (!isEnded) throw new Error(`The run of ${unruly} reached no limit`)
          await delay(PAUSE_MS)
        }
      }
      const others = runUnruly()
      let calls = 0
      const callNext = async (): Promise<void> => {
        const label = labels[calls++ % COUNT]!
        if ((await bus.call(label, 'add', { a: 1, b: 2 })) !== 3) throw new Error(`Wrong answer of ${label}`)
      }
      const figures = await repeat(callNext, task, { least: COUNT })
      isOver = true
      await others
      return figures
    }
    return { measure, close: () => bus.close({ timeout: 0 }) }
  },
})

export const neighboursArms: Arms = [
  neighboursArm('quickjs', 'in one thread', {}),
  withWall(neighboursArm('quickjs-shared', 'in one walled process', { process: true, wall: 'required', group: 'all' })),
]
