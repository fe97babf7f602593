// Asks for what a plugin requests, if no stored grant covers this content of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { PluginError } from './errors.js'
import type { Grant, Grants } from './grants.js'
import type { PluginManifest } from './manifest.js'
import { isNothing, type Rights, subtract } from './requests.js'

/** What a person decides about: the rights that a plugin requests. */
export interface GrantRequest extends Rights {
  /** Label of its frontend. */
  readonly label: string
  /** Name of the package. */
  readonly name: string
  /** Version of the package. */
  readonly version: string
  /** `first`: it has no grant. `update`: the grant is for another version. `changed`: the content of this version has changed. */
  readonly reason: 'first' | 'update' | 'changed'
  /** Rights that the stored grant does not have. */
  readonly added: Rights
  /** The stored grant. */
  readonly previous: Grant | undefined
  /** Aborts when the answer is no longer waited for. */
  readonly signal: AbortSignal
}

/** True for all that is requested, false to refuse, or the part that is granted. */
export type GrantAnswer = boolean | Partial<Rights>

/** Asks a person, or decides by itself. */
export type Ask = (request: GrantRequest) => GrantAnswer | Promise<GrantAnswer>

export interface AskDeps {
  readonly grants: Grants
  readonly ask: Ask | undefined
  /** In milliseconds. */
  readonly askTimeout: number
  readonly onAsking: () => void
}

/** What is asked about. */
export interface Asked {
  readonly label: string
  readonly manifest: PluginManifest
  readonly integrity: string
  readonly signal: AbortSignal
  /** True for a plugin that is being developed: its content changes all the time, so only new requests are asked about. */
  readonly isWatched: boolean
}

/** Returns the rights of a plugin. @throws {PluginError} Refused if they are not granted */
export async function getRights({ grants, ask, askTimeout, onAsking }: AskDeps, asked: Asked): Promise<Rights> {
  const { label, manifest, integrity, isWatched } = asked
  const { name, version, permissions, net } = manifest
  const previous = await grants.get(name)
  if (previous?.integrity === integrity && previous.version === version) return intersect(previous, manifest)
  const added = subtract(manifest, previous ?? { permissions: [], net: false })
  if (previous && isWatched && isNothing(added)) return intersect(previous, manifest)
  const why = previous ? 'its content is not the one that was granted' : 'nothing was granted to it'
  if (!ask) throw new PluginError('Refused', `${label}: ${why}, and there is no option "ask"`)
  const reason = !previous ? 'first' : previous.version === version ? 'changed' : 'update'
  const late = new AbortController()
  const signal = AbortSignal.any([asked.signal, late.signal])
  const request = { label, name, version, permissions, net, reason, added, previous, signal } as const
  onAsking()
  try {
    const tooLate = sleep(askTimeout, undefined, { signal }).then(() => {
      throw new PluginError('Refused', `${label}: nobody answered within ${askTimeout} ms`)
    })
    const answer = await Promise.race([Promise.resolve(request).then(ask), tooLate])
    const granted = toRights(answer, manifest, label)
    await grants.set({ name, version, integrity, ...granted, grantedAt: new Date().toISOString() })
    return granted
  } catch (cause) {
    asked.signal.throwIfAborted()
    if (cause instanceof PluginError) throw cause
    throw new PluginError('Refused', `${label}: the question failed: ${String((cause as Error)?.message)}`, { cause })
  } finally {
    late.abort()
  }
}

/** A plugin has what was granted and is still requested. */
const intersect = (granted: Rights, requested: Rights): Rights => ({
  permissions: subtract(requested, { ...subtract(requested, granted), net: false }).permissions,
  net: granted.net && requested.net,
})

function toRights(answer: GrantAnswer, requested: Rights, label: string): Rights {
  if (answer === true) return { permissions: requested.permissions, net: requested.net }
  if (typeof answer !== 'object' || answer === null) throw new PluginError('Refused', `${label}: was refused`)
  const { permissions = [], net = false } = answer
  if (isNothing(subtract({ permissions, net }, requested))) return { permissions, net }
  throw new PluginError('InvalidOption', `ask: the answer for ${label} grants more than the plugin requests`)
}
