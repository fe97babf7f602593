// What a hook is shown, what it may answer, and what its answer comes to.

/** Tauri's message, as a hook sees it: for every command and every event of the frontend. */
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

/** What goes on. `payload` is the very object that the hook gave back: encode it at once, before the hook runs again. */
export interface PassedMessage {
  readonly cmd: string
  readonly payload: unknown
  readonly options: MessageOptions | undefined
}

/**
 * `null`: null or undefined · `threw`: threw or rejected · `timeout` · `malformed`: not a message; `detail` says how ·
 * `overloaded`: it was not asked.
 */
export type Verdict =
  | { readonly kind: 'pass'; readonly message: PassedMessage }
  | {
      readonly kind: 'reject'
      readonly why: 'null' | 'threw' | 'timeout' | 'malformed' | 'overloaded'
      readonly detail?: string
    }
