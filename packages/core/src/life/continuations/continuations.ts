// The continuations of one bus: its key, and which of them have been used.
import type { KeyObject, webcrypto } from 'node:crypto'
import { BusError, describeThrown, describeValue } from '@sallyport/protocol/internal/errors'
import { isUint8Array } from '@sallyport/protocol/internal/util'
import type { Question } from './question.js'
import type { Continuation } from './suspension.js'

const KEY_BYTES = 32

/** Returns true if the continuation with this id was not claimed before, and is claimed now. */
export type ClaimContinuation = (id: string) => boolean | Promise<boolean>

export type ContinuationKey = Uint8Array | KeyObject | webcrypto.CryptoKey

/** Returns the key as node:crypto has it. `undefined` for anything else than a secret key of 32 bytes. */
export function toContinuationKey(key: unknown): KeyObject | undefined {
  // Loaded for a key alone.
  const { createSecretKey, KeyObject } = process.getBuiltinModule('node:crypto')
  const toKeyObject = (): KeyObject => {
    if (isUint8Array(key)) return createSecretKey(key)
    return key instanceof KeyObject ? key : KeyObject.from(key as webcrypto.CryptoKey)
  }
  try {
    const secret = toKeyObject()
    return secret.type === 'secret' && secret.symmetricKeySize === KEY_BYTES ? secret : undefined
  } catch {
    return undefined
  }
}

export class Continuations {
  readonly #key: KeyObject | undefined
  readonly #claim: ClaimContinuation
  /** True if another process, or this program after a restart, goes on with what was claimed here. */
  readonly canClaimAgain: boolean
  /** Those that this process resumes now: the caller of the first one learns whether it can be claimed. */
  readonly #resuming = new Set<string>()

  constructor(key: KeyObject | undefined, claim?: ClaimContinuation) {
    this.#key = key
    this.#claim = claim ?? createMemory()
    this.canClaimAgain = key !== undefined && claim === undefined
  }

  get hasKey(): boolean {
    return this.#key !== undefined
  }

  /** Without a key no call could be interrupted. */
  async seal(continuation: Continuation): Promise<Uint8Array> {
    // Few hosts need it.
    const { sealContinuation } = await import('./sealed-continuation.js')
    return sealContinuation(this.#key!, continuation)
  }

  /** @throws {BusError} InvalidParams */
  async open(sealed: unknown): Promise<Continuation> {
    if (!this.#key) {
      const text =
        'bus.resume: the bus has no key for continuations. Pass createBus({ runs: { key } }) the key that it had'
      throw new BusError('InvalidParams', text)
    }
    if (!isUint8Array(sealed))
      throw new BusError(
        'InvalidParams',
        'bus.resume: the continuation must be a Uint8Array. One that was stored as text needs Buffer.from(text, "base64")',
      )
    const { openContinuation } = await import('./sealed-continuation.js')
    return openContinuation(this.#key, sealed)
  }

  /** @param content - what `structuredClone` can copy @throws {BusError} InvalidRequest without a key */
  async sealQuestion(content: unknown): Promise<Uint8Array> {
    if (!this.#key) {
      const remedy = 'Pass createBus({ runs: { key } }) 32 secret bytes'
      throw new BusError('InvalidRequest', `The user cannot be asked: the bus has no key for continuations. ${remedy}`)
    }
    const { sealQuestion } = await import('./question.js')
    return sealQuestion(this.#key, content)
  }

  /** @throws {BusError} InvalidParams for one that this bus, or one with its key, has not made */
  async openQuestion(sealed: Uint8Array): Promise<Question> {
    if (!this.#key)
      throw new BusError('InvalidParams', 'The question was refused: the bus has no key for continuations')
    const { openQuestion } = await import('./question.js')
    return openQuestion(this.#key, sealed)
  }

  /** Keeps others of this process from resuming it meanwhile. Returns what ends that. @throws {BusError} InvalidRequest */
  reserve(id: string): () => void {
    if (this.#resuming.has(id)) throw createClaimedError()
    this.#resuming.add(id)
    return () => void this.#resuming.delete(id)
  }

  /** @throws {BusError} InvalidRequest if it was claimed before; InternalError if the host's function throws, or does not say */
  async claim(id: string): Promise<void> {
    let isNew: unknown
    try {
      isNew = await this.#claim(id)
    } catch (cause) {
      throw new BusError('InternalError', `bus.resume: runs.claim failed: ${describeThrown(cause)}`, { cause })
    }
    if (isNew === false) throw createClaimedError()
    if (isNew === true) return
    const text = `runs.claim must return true or false: got ${describeValue(isNew)}`
    throw new BusError('InternalError', `bus.resume: ${text}. Forget its claim of ${id} to resume it again`)
  }
}

const createClaimedError = (): BusError =>
  new BusError('InvalidRequest', 'bus.resume: the continuation was claimed before. Each can be resumed once', {
    code: 'ALREADY_RESUMED',
  })

/** Remembers ids until the process ends. */
function createMemory(): ClaimContinuation {
  const used = new Set<string>()
  return id => used.size < used.add(id).size
}
