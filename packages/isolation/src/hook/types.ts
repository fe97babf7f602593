// The message that a hook gets, its answer, and the verdict on the message.

/** Tauri's message, as a hook sees every command and every event of the frontend. */
export interface HookMessage {
  cmd: string
  callback: number
  error: number
  payload: unknown
  options: MessageOptions | undefined
}

export interface MessageOptions {
  headers?: Record<string, string>
}

/** The message that passes. `payload` is the hook's own object: it must be encoded before the hook runs again. */
export interface PassedMessage {
  readonly cmd: string
  readonly payload: unknown
  readonly options: MessageOptions | undefined
}

/**
 * The reasons of a rejection: the hook returned null or undefined (`null`), threw or rejected (`threw`), missed its deadline
 * (`timeout`), or did not return a message (`malformed`; `detail` explains it). With `overloaded`, the hook was not called.
 */
export type Verdict =
  | { readonly kind: 'pass'; readonly message: PassedMessage }
  | {
      readonly kind: 'reject'
      readonly why: 'null' | 'threw' | 'timeout' | 'malformed' | 'overloaded'
      readonly detail?: string
    }
