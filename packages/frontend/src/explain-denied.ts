// Says why a module did not load where its sandbox is the reason. Node says that something was denied, not what, and names a
// flag for it that no frontend has.
import { BusError } from '@sallyport/protocol'

/** Other errors are given back as they are. */
export function explainDenied(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, permission, resource } = error as Error & Record<'code' | 'permission' | 'resource', unknown>
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    const problem = `${error.message}: the host’s loaders are not there in a frontend’s sandbox`
    return new BusError('InternalError', problem, { cause: error })
  }
  // What Sallyport itself takes away has a name in its message.
  if (code !== 'ERR_ACCESS_DENIED' || typeof permission !== 'string') return error
  const what = [permission, ...(typeof resource === 'string' && resource !== '' ? [resource] : [])].join(' of ')
  const remedy = permission === 'FileSystemRead' ? '; `read` of the option `sandbox` grants more' : ''
  return new BusError('InternalError', `The sandbox denies ${what}${remedy}: see docs/security.md`, { cause: error })
}
