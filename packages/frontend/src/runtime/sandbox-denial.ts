// Explains errors of Node's permission model. Node suggests a flag, which a frontend doesn't have: its host has options.
import { describeThrown } from '@sallyport/protocol/internal'

let sandboxKind: 'permission' | 'process' | undefined

export const setSandboxKind = (kind: typeof sandboxKind): void => void (sandboxKind = kind)

/** Number of errors that are searched: the thrown one and its causes. */
const MAX_DEPTH = 4

/** Returns what the sandbox denied and the option that allows it, if the error or one of its causes is a denial in a sandbox. */
export function explainSandboxDenial(error: unknown): string | undefined {
  if (sandboxKind === undefined) return undefined
  let cause = error
  for (let depth = 0; depth < MAX_DEPTH && cause instanceof Error; depth++) {
    const denial = describeDenial(cause as SystemError)
    if (denial !== undefined) return depth === 0 ? denial : `${describeThrown(error)}: ${denial}`
    const { errors } = cause as { errors?: unknown }
    cause = Array.isArray(errors) ? errors[0] : cause.cause
  }
  return undefined
}

type SystemError = Error & { [member in 'code' | 'permission' | 'resource' | 'syscall']?: unknown }

function describeDenial({ code, permission, resource, syscall }: SystemError): string | undefined {
  if (code === 'ERR_DLOPEN_DISABLED') return createText('native addons')
  if (code !== 'ERR_ACCESS_DENIED') return undefined
  // Errors of sockets and of DNS don't contain the permission.
  if (permission === 'Net' || typeof syscall === 'string') {
    return createText('the network', `sandbox: { kind: '${sandboxKind}', net: true }`)
  }
  // The functions that the sandbox itself replaces throw errors without a permission, which are clear.
  if (typeof permission !== 'string') return undefined
  const target = typeof resource === 'string' && resource !== '' ? `${permission} of ${resource}` : permission
  if (permission !== 'FileSystemRead') return createText(target)
  return createText(target, `sandbox: { kind: '${sandboxKind}', read: [${JSON.stringify(resource)}] }`)
}

const createText = (target: string, option?: string): string =>
  `The sandbox denied ${target}. ` +
  (option === undefined
    ? "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."
    : `Allow it with the frontend's option ${option}.`)
