// The loop of channels, whose sender awaits each message. Every message is counted.
import { getChunk } from './handlers.js'
import type { MeasureLoop } from './subject.js'

/** Messages of one channel. */
const STREAM = 4096

/** Reads channels to their end, one after the other. */
export const measureStream: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  let messages = 0
  const start = performance.now()
  do {
    let next = 0
    // A message that is lost or out of order is not counted.
    await subject.stream('download', STREAM, message => {
      if (getChunk(message) === next++) received++
    })
    messages += STREAM
  } while (performance.now() < start + ms)
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived in order`)
  return { rate: (messages / (performance.now() - start)) * 1e3 }
}
