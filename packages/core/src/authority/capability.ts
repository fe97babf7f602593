// Tauri's capabilities: which labels may call which commands.

/** The part of Tauri's capability that is written inline, in `app.security.capabilities`. */
export interface Capability {
  identifier: string
  description?: string
  /** Labels it holds for, as globs of Rust's `glob` (`*`, `?`, `[abc]`). */
  windows?: readonly string[]
  /** `allow-greet`, `deny-greet`, `fs:allow-read-text-file`, `core:default`, `core:event:deny-emit`. */
  permissions: readonly string[]
}

export type Pattern = 'brownfield' | 'isolation'
