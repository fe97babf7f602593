import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', args, { maxBuffer: 2 ** 28 })).stdout.trim()
