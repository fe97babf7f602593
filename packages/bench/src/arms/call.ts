// An arm made of one function that calls: for scenarios of the user's own. Its loops run in the process that opens it.
import type { Arm } from '../arm.js'
import { callsOf } from '../payloads/document.js'
import { makeReady, type ReadyCall } from '../workers/check.js'
import { loopsOf } from '../workers/loops.js'
import { callsOnly } from '../workers/subject.js'
import type { Payload } from '../payloads/payload.js'

export interface OpenCalls {
  /** @returns the answer, which has to be the one that the payload expects */
  call(command: string, args: unknown): Promise<unknown>
  close(): Promise<void>
}

/**
 * @param id lower-case letters, digits and dashes
 * @param open called in a fresh process, for each of them anew
 * @example
 * callArm('direct', 'a function', async () => ({ call: async (_, args) => search(args), close: async () => {} }))
 */
export const callArm = (id: string, title: string, open: () => Promise<OpenCalls>): Arm => ({
  id,
  title,
  open: async () => {
    const { call, close } = await open()
    const measure = loopsOf(callsOnly(call))
    const ready = new Map<Payload, readonly ReadyCall[]>()
    return {
      measure: async (task, payload) => {
        const calls = ready.get(payload) ?? callsOf(payload).map(makeReady)
        ready.set(payload, calls)
        return measure(task, calls)
      },
      close,
    }
  },
})
