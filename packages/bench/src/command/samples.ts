// Every single latency of a run, for who wants to look at more than percentiles: a line of JSON for each measurement.
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Watcher } from '../run/run.js'

export const SAMPLES_FILE = 'samples.ndjson'

export interface SampleFile {
  samples: NonNullable<Watcher['samples']>
  /** Resolves when all is written. */
  end(): Promise<void>
}

/** @param folder where `samples.ndjson` goes: `{ scenario, case, arm, round, us: [...] }` a line, in the order of time */
export function writeSamples(folder: string): SampleFile {
  const file = createWriteStream(join(folder, SAMPLES_FILE))
  return {
    samples: ({ scenario }, { inCase, arm }, round, us) => {
      file.write(`${JSON.stringify({ scenario: scenario.id, case: inCase.id, arm: arm.id, round, us })}\n`)
    },
    end: async () => {
      file.end()
      await finished(file)
    },
  }
}
