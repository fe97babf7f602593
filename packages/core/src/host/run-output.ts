// What the code of `bus.run` prints: at most so many bytes go to the host, and to the report.
import type { OnStdio } from './workers/output.js'

/** A line that the code has printed. */
export interface RunLog {
  /** Where it was printed. */
  readonly stream: 'stdout' | 'stderr'
  /** The line, without its end. */
  readonly text: string
}

interface RunOutput {
  onStdio: OnStdio | undefined
  /** Returns the lines. Only for a report. */
  logs: (() => RunLog[]) | undefined
}

/** Bytes of output that a report has unless it has a limit. */
const REPORTED_BYTES = 2 ** 20

/** @param collects - true to collect the lines for a report */
export function createRunOutput(
  onStdio: OnStdio | undefined,
  maxBytes: number | undefined,
  collects: boolean,
): RunOutput {
  const limit = maxBytes ?? (collects ? REPORTED_BYTES : undefined)
  if ((!onStdio && !collects) || limit === undefined) return { onStdio, logs: undefined }
  const logs: RunLog[] = []
  const rest = { stdout: '', stderr: '' }
  let left = limit
  let isCut = false
  const add: OnStdio = (text, from) => {
    onStdio?.(text, from)
    if (!collects) return
    const { stream } = from
    const lines = (rest[stream] + text).split('\n')
    rest[stream] = lines.pop()!
    for (const line of lines) logs.push({ stream, text: line })
  }
  return {
    onStdio(text, from) {
      if (isCut) return
      const bytes = Buffer.byteLength(text)
      if (bytes <= left) {
        left -= bytes
        return add(text, from)
      }
      isCut = true
      // Without a character that the limit has cut.
      const kept = new TextDecoder().decode(Buffer.from(text).subarray(0, left), { stream: true })
      const note = `The rest of the output was dropped: it is limited to ${limit} bytes`
      add(`${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${note}\n`, from)
    },
    logs: collects
      ? () => {
          for (const stream of ['stdout', 'stderr'] as const)
            if (rest[stream] !== '') logs.push({ stream, text: rest[stream] })
          return logs
        }
      : undefined,
  }
}
