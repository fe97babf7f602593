// The text of a denial: Tauri's own, and in development what to add. What Tauri's development builds say in addition is for the host.
import { type Catalogue, getPermissionsFor } from './catalogue.js'
import { splitMethod } from './identifier.js'
import type { Access, Grant, ResolvedCapability } from './resolve.js'
import type { CommandIdentity } from './types.js'

export interface DenialDetails {
  label: string
  /** Whether the frontend is a run of `bus.run`. */
  isRun: boolean
  /** Whether the option `allow` is the place for a right of this frontend, or one of two. Code on a network has no options. */
  option: 'only' | 'also' | undefined
  access: Access
  capabilities: readonly ResolvedCapability[]
  catalogue: Catalogue
}

export const getDenialText = ({ method }: CommandIdentity): string => `Command ${method} not allowed by ACL`

/** Returns what to add to a capability or to `allow` of the frontend, or which permission denies the command. */
export function getDenialHint(
  { method, owner, allow }: CommandIdentity,
  { label, isRun, option, access }: DenialDetails,
): string {
  // A run that has no label of its own has a number, which the next one does not have.
  const quoted = JSON.stringify(isRun ? label.replace(/^run-\d+$/, 'run-*') : label)
  const denied = access.denied.get(method)
  if (!denied) {
    const name = JSON.stringify(owner === 'app' ? method : allow)
    const inOption = `add ${name} to the option "allow" of ${isRun ? 'bus.run' : `the frontend ${quoted}`}`
    if (option === 'only') return inOption
    const inCapability = `add ${JSON.stringify(allow)} to the permissions of a capability whose windows match ${quoted}`
    return option === 'also' ? `${inOption}, or ${inCapability}` : inCapability
  }
  const names = [...new Set(denied.map(({ permission }) => JSON.stringify(permission)))].join(', ')
  return `${names} is among the permissions of a capability for ${quoted}`
}

/** Returns Tauri's details of a denial. For the host in development only: the text names capabilities, and can have 80 permissions. */
export function explainDenial(command: CommandIdentity, details: DenialDetails): string {
  const { plugin, name } = splitMethod(command.method)
  const denied = details.access.denied.get(command.method)
  const reason = denied
    ? `explicitly denied on origin local\n\nreferenced by: ${joinReferences(denied)}`
    : getReason(command, details)
  const subject = plugin === undefined ? name : `${plugin}.${name}`
  return `${subject} ${reason}`
}

function getReason(command: CommandIdentity, { label, capabilities, catalogue }: DenialDetails): string {
  const elsewhere = capabilities.flatMap(({ capability, permissions }) =>
    permissions
      .filter(({ allow }) => allow.includes(command.method))
      .map(({ identifier }) => ({ ...capability, capability: capability.identifier, permission: identifier })),
  )
  if (elsewhere.length === 0) {
    return `not allowed. Permissions associated with this command: ${getPermissionsFor(command, catalogue).join(', ')}`
  }
  const on = elsewhere.map(({ windows = [], webviews = [], local = true, platforms }) => {
    const parts = [
      windows.length > 0 && `windows: ${quote(windows)}`,
      webviews.length > 0 && `webviews: ${quote(webviews)}`,
      local ? 'URL: local' : 'URL: remote alone',
      platforms && `platforms: ${platforms.join(', ')}`,
    ]
    return `[${parts.filter(Boolean).join(', ')}]`
  })
  const quoted = JSON.stringify(label)
  const refused = `not allowed on window ${quoted}, webview ${quoted}, URL: local`
  return `${refused}\n\nallowed on: ${on.join(', ')}\n\nreferenced by: ${joinReferences(elsewhere)}`
}

const quote = (globs: readonly string[]): string => globs.map(glob => JSON.stringify(glob)).join(', ')

const joinReferences = (grants: readonly Pick<Grant, 'capability' | 'permission'>[]): string =>
  grants.map(({ capability, permission }) => `capability: ${capability}, permission: ${permission}`).join(' || ')
