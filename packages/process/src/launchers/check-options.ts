// Checks the options of a launcher: a limit that is misspelt, or that the kernel does not take, would not hold.
import { BusError } from '@sallyport/protocol/internal/errors'

type Name = 'memory' | 'tmp' | 'pids' | 'cpus' | 'uid' | 'bwrap' | 'setpriv'
type Check = readonly [isValid: (value: unknown) => boolean, expected: string]

const isNumberFrom = (value: unknown, min: number): boolean => Number.isFinite(value) && (value as number) >= min
const isWhole = (value: unknown, min: number): boolean => Number.isSafeInteger(value) && (value as number) >= min

const size: Check = [value => isNumberFrom(value, Number.MIN_VALUE), 'MiB, more than 0']
const path: Check = [value => typeof value === 'string' && value !== '', 'the path of a program']

const CHECKS: Readonly<Record<Name, Check>> = {
  memory: size,
  tmp: size,
  pids: [value => isWhole(value, 1), 'a whole number of processes and threads, from 1'],
  // The kernel takes no shorter time than 1 of 100 ms.
  cpus: [value => isNumberFrom(value, 0.01), 'a number of CPU cores, from 0.01'],
  uid: [value => isWhole(value, 0), 'the number of a user'],
  bwrap: path,
  setpriv: path,
}

/** @throws {BusError} InvalidParams for an unknown option, or an invalid value of a known one */
export function checkOptions(launcher: string, options: object, names: readonly Name[]): void {
  if (typeof options !== 'object') throw new BusError('InvalidParams', `${launcher}: the options must be an object`)
  for (const [name, value] of Object.entries(options) as [Name, unknown][]) {
    if (!names.includes(name)) {
      throw new BusError('InvalidParams', `${launcher}: unknown option "${name}". Use ${names.join(', ')}`)
    }
    const [isValid, expected] = CHECKS[name]
    if (value !== undefined && !isValid(value)) {
      throw new BusError('InvalidParams', `${launcher}: ${name} must be ${expected}`)
    }
  }
}
