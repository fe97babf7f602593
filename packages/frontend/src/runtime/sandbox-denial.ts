// Explains errors of Node's permission model. Node suggests a flag, which a frontend doesn't have: its host has options.
import { isAbsolute } from 'node:path'
import { describeThrown } from '@sallyport/protocol/internal'

let sandboxKind: 'permission' | 'process' | undefined
let isNetClosed = false

/** @param closesNet - true if a wall around the process closes the network: errors of Node don't say so */
export function setSandboxKind(kind: typeof sandboxKind, closesNet = false): void {
  sandboxKind = kind
  isNetClosed = closesNet
}

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

function describeDenial({ code, permission, resource, syscall, message }: SystemError): string | undefined {
  if (code === 'ERR_DLOPEN_DISABLED') return createText('native addons')
  const hidden = code === 'ERR_MODULE_NOT_FOUND' ? getHiddenModule(message) : undefined
  if (hidden !== undefined) return createReadText(hidden)
  if (isNetClosed && isNetError(code, syscall)) return createNetText()
  if (code !== 'ERR_ACCESS_DENIED') return undefined
  // Errors of sockets and of DNS don't contain the permission.
  if (permission === 'Net' || typeof syscall === 'string') return createNetText()
  // The functions that the sandbox itself replaces throw errors without a permission, which are clear.
  if (typeof permission !== 'string') return undefined
  if (permission === 'FileSystemRead') return createReadText(resource)
  return createText(typeof resource === 'string' && resource !== '' ? `${permission} of ${resource}` : permission)
}

const createReadText = (resource: unknown): string =>
  createText(
    typeof resource === 'string' && resource !== '' ? `FileSystemRead of ${resource}` : 'FileSystemRead',
    `sandbox: { kind: '${sandboxKind}', read: [${JSON.stringify(resource)}] }`,
  )

const createNetText = (): string => createText('the network', `sandbox: { kind: '${sandboxKind}', net: true }`)

type Permission = { has(scope: string, reference: string): boolean }

/** Returns the path of a module that was not found and that the sandbox may not read: a wall hides it. */
function getHiddenModule(message: string): string | undefined {
  const path = /^Cannot find module '([^']+)'/.exec(message)?.[1]
  const { permission } = process as { permission?: Permission }
  return path !== undefined && isAbsolute(path) && permission?.has('fs.read', path) === false ? path : undefined
}

/** Sockets are denied, and names can't be looked up without them. */
const isNetError = (code: unknown, syscall: unknown): boolean =>
  (code === 'EACCES' && (syscall === 'connect' || syscall === 'bind' || syscall === 'listen')) ||
  (syscall === 'getaddrinfo' && (code === 'EAI_AGAIN' || code === 'ENOTFOUND')) ||
  (code === 'ECONNREFUSED' && String(syscall).startsWith('query'))

const createText = (target: string, option?: string): string =>
  `The sandbox denied ${target}. ` +
  (option === undefined
    ? "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."
    : `Allow it with the frontend's option ${option}.`)
