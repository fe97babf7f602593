// Asks for what a plugin requests, if no stored grant covers this content of it.
import { isYes, silence } from '@sallyport/core/internal'
import * as v from 'valibot'
import { PluginError } from './errors.js'
import type { Grant, Grants } from './grants.js'
import { describeKeys, parse, permissionsSchema } from './json-file.js'
import type { PluginManifest } from './manifest.js'
import { isNothing, type PluginId, type Rights, select } from './rights.js'

/** What a person decides about: the rights that a plugin requests. */
export interface GrantRequest extends PluginId, Rights {
  /** Label of its frontend. */
  readonly label: string
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
export type GrantAnswer = boolean | (Partial<Rights> & (Pick<Rights, 'permissions'> | Pick<Rights, 'net'>))

const parts = {
  permissions: v.optional(permissionsSchema, []),
  net: v.optional(v.boolean('must be true or false'), false),
}
const schema = v.object({ ask: v.strictObject(parts, describeKeys(parts)) })

/** Asks a person, or decides by itself. */
export type Ask = (request: GrantRequest) => GrantAnswer | Promise<GrantAnswer>

export interface AskDeps {
  readonly grants: Grants
  readonly ask: Ask | undefined
  /** In milliseconds. */
  readonly askTimeout: number
}

/** What is asked about. `isWatched`: its content changes all the time, so only new requests are asked about. */
export interface Asked {
  readonly manifest: PluginManifest
  readonly integrity: string
  readonly signal: AbortSignal
  readonly isWatched: boolean
  onAsking(): void
  readIntegrity(): Promise<string>
}

/** Returns the rights of a plugin. @throws {PluginError} Refused if they are not granted */
export async function getRights({ grants, ask, askTimeout }: AskDeps, asked: Asked): Promise<Rights> {
  const { manifest, integrity, isWatched } = asked
  const { label, name, version, permissions, net } = manifest
  const previous = await grants.get(name)
  const added = select(manifest, false, previous ?? { permissions: [], net: false })
  const isSame = previous?.integrity === integrity && previous.version === version
  if (previous && (isSame || (isWatched && isNothing(added)))) return select(manifest, true, previous)
  const refuse = (text: string, cause?: unknown): PluginError =>
    new PluginError('Refused', `${label}: ${text}`, { cause })
  const why = previous ? 'its content is not the one that was granted' : 'nothing was granted to it'
  if (!ask) throw refuse(`${why}, and there is no option "ask"`)
  const reason = !previous ? 'first' : previous.version === version ? 'changed' : 'update'
  const late = new AbortController()
  const signal = AbortSignal.any([asked.signal, late.signal])
  let endWait = (): void => {}
  asked.onAsking()
  try {
    const request = { label, name, version, permissions, net, reason, added, previous, signal } as const
    const over = new Promise<'late'>(resolve => {
      const end = (): void => resolve('late')
      // The question does not keep a program from ending.
      endWait = silence(askTimeout, { keepsAlive: false }, end)
      signal.addEventListener('abort', end)
    })
    const answer = await Promise.race([Promise.resolve(request).then(ask), over])
    if (answer === 'late') throw refuse(`nobody answered within ${askTimeout} ms`)
    const isPart = Object.keys(parts).some(key => key in Object(answer))
    const answered = isPart
      ? parse(schema, { ask: answer }, 'InvalidAnswer').ask
      : isYes('ask, unless it names permissions or net,', answer ?? false) && manifest
    if (!answered) throw refuse('was refused')
    if (!isNothing(select(answered, false, manifest))) {
      throw new PluginError('InvalidAnswer', `ask: the answer for ${label} grants more than the plugin requests`)
    }
    // A person can have thought for minutes.
    if (!isWatched && (await asked.readIntegrity()) !== integrity) throw refuse('its files changed during the question')
    // In the form of the manifest, which was checked.
    const granted = select(manifest, true, answered)
    await grants.set({ name, version, integrity, ...granted, grantedAt: new Date().toISOString() })
    return granted
  } catch (cause) {
    asked.signal.throwIfAborted()
    throw cause instanceof PluginError
      ? cause
      : refuse(`the question failed: ${String((cause as Error)?.message)}`, cause)
  } finally {
    endWait()
    late.abort()
  }
}
