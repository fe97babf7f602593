// Puts this worker, which Node has under its permission model, into the state in which a frontend's code may run. Node 22
// and later let each such worker read all below the working directory, which nobody has granted: since 24 that can be given up.
import { BusError, type FrontendSandbox } from '@sallyport/protocol'
import { join } from 'node:path'
import { harden } from './harden.js'

interface Permission {
  has(scope: string, reference: string): boolean
  drop?(scope: string, reference: string): void
}

/**
 * Gives the folder that this worker can read all the same.
 *
 * @throws BusError `InternalError` where there is one, and the sandbox is strict
 */
export function enterSandbox({ stray, strict }: FrontendSandbox): string | undefined {
  const { permission } = process as unknown as { permission?: Permission }
  if (!permission) throw new BusError('InternalError', 'This worker is not under Node’s permission model')
  const readable = stray !== undefined && !giveUp(permission, stray) ? stray : undefined
  if (readable !== undefined && strict) {
    throw new BusError(
      'InternalError',
      `The sandbox is strict, and Node ${process.versions.node} lets this frontend read all below the working ` +
        'directory: start the host in an empty folder, or on a Node that can take that back (20, 24 or later)',
    )
  }
  harden()
  return readable
}

function giveUp(permission: Permission, folder: string): boolean {
  // Of the root itself Node says no though all in it can be read, and Node 20 yes though nothing can.
  const isOpen = (): boolean => permission.has('fs.read', join(folder, 'any'))
  if (isOpen()) permission.drop?.('fs.read', folder)
  return !isOpen()
}
