// Puts this worker, which Node has under its permission model, into the state in which a frontend's code may run. Since 22
// Node lets such workers read all below the working directory, unless told otherwise in a roundabout way: so it is looked at.
import { BusError, type FrontendSandbox } from '@sallyport/protocol'
import { join } from 'node:path'
import { harden } from './harden.js'

interface Permission {
  has(scope: string, reference: string): boolean
}

/**
 * Gives the folder that this worker can read all the same.
 *
 * @throws BusError `InternalError` where there is one, and the sandbox is strict
 */
export function enterSandbox({ stray, strict }: FrontendSandbox): string | undefined {
  const { permission } = process as unknown as { permission?: Permission }
  if (!permission) throw new BusError('InternalError', 'This worker is not under Node’s permission model')
  // Of the root itself Node says no though all in it can be read, and Node 20 yes though nothing can.
  const readable = stray !== undefined && permission.has('fs.read', join(stray, 'any')) ? stray : undefined
  if (readable !== undefined && strict) {
    throw new BusError(
      'InternalError',
      `The sandbox is strict, and Node ${process.versions.node} lets this frontend read all below the working ` +
        'directory: start the host in an empty folder, or on another version of Node',
    )
  }
  harden()
  return readable
}
