// The same arm, sending a document in another way, and only up to a size.
import type { Arm } from '../arm.js'
import { payloadBytes, type Payload } from '../payloads/payload.js'
import type { Task } from '../task.js'

interface How {
  id: string
  title: string
  /** As bytes that are copied, or given away. */
  as?: 'bytes' | 'given'
  /** In bytes: of what is larger nothing is measured. */
  most?: number
}

export const sending = (arm: Arm, { id, title, as, most = Infinity }: How): Arm => ({
  ...arm,
  ...(as && { carries: as === 'given' ? 'bytes, given away' : 'bytes' }),
  id,
  title,
  open: async () => {
    const opened = await arm.open()
    const asBytes = as ? inBytes() : (payload: Payload): Payload => payload
    const taskOf = (task: Task): Task => (as === 'given' ? { ...task, loop: 'giving' } : task)
    return {
      ...opened,
      measure: async (task, payload) =>
        payloadBytes(payload) > most ? {} : opened.measure(taskOf(task), asBytes(payload)),
    }
  },
})

/** One payload for each, because what an arm has been sent is not sent again. */
function inBytes(): (payload: Payload) => Payload {
  const known = new Map<Payload, Payload>()
  return payload => {
    const { id, sized } = payload
    if (!sized) throw new Error(`'${id}' has no size`)
    const found = known.get(payload) ?? { ...payload, id: `${id}-bytes`, sized: { ...sized, bytes: true } }
    known.set(payload, found)
    return found
  }
}
