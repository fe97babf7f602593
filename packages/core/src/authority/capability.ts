// Tauri's capabilities: which labels may call which commands, and with which values.

export interface Capability {
  /** Unique among all capabilities. */
  identifier: string
  description?: string
  /** `false`: for remote pages alone, so for no frontend here. `true` by default. */
  local?: boolean
  /** Pages of the web, which no frontend here is: taken as Tauri's files have it, and matching nothing. */
  remote?: { urls: readonly string[] }
  /** Labels it holds for, as globs of Rust's `glob` (`*`, `?`, `[abc]`). */
  windows?: readonly string[]
  /** More of them: here a window and its webview are one frontend, and it is enough that one glob matches. */
  webviews?: readonly string[]
  /** `allow-greet`, `deny-greet`, `fs:allow-read-text-file`, `core:default`, `core:event:deny-emit`, `fs:default`. */
  permissions: readonly PermissionEntry[]
  /** Where it is in force; everywhere by default. */
  platforms?: readonly Platform[]
}

/** A permission, or one with more of a scope. The values are of the shape that the command's plugin defines. */
export type PermissionEntry =
  | string
  | { identifier: string; allow?: readonly unknown[] | null; deny?: readonly unknown[] | null }

export type Platform = 'linux' | 'macOS' | 'windows' | 'android' | 'iOS'

export type Pattern = 'brownfield' | 'isolation'
