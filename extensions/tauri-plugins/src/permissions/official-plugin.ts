// The compact form of a plugin's permission files.

/** Lists are words in one string. */
export interface OfficialPlugin {
  /** Commands with permissions of their own, `allow-<command>` and `deny-<command>`. */
  readonly commands: string
  /** The set `default`. */
  readonly default?: string
  /** Permissions for several commands, or with a scope. */
  readonly permissions?: Readonly<
    Record<string, { readonly commands?: string; readonly scope?: string | readonly unknown[] }>
  >
  readonly sets?: Readonly<Record<string, string>>
  /** Base directories of fs. Each has the same permissions and sets. */
  readonly directories?: string
}
