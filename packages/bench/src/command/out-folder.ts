// The folder for the reports: made before anything is measured, so that a minute is not lost for it.
import { access, constants, mkdir } from 'node:fs/promises'
import { UsageError } from './usage.js'

/** @throws UsageError where it can't be made, or written to */
export async function makeWritable(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (error) {
    throw new UsageError(`--out ${out}: ${(error as Error).message}`)
  }
}
