// Scopes: what a caller may do with a command, beyond calling it. The handler has to enforce them, as in Tauri.

/** Values in the form that the command's plugin defines, for instance `{ path: '$HOME/**' }` of Tauri's fs. */
export interface Scope {
  /** Values that the permissions allow. */
  readonly allow: readonly unknown[]
  /** Values that the permissions deny. */
  readonly deny: readonly unknown[]
  /**
   * Applies Tauri's rule (`CommandScope::matches`): false if `like` accepts a denied value; true if no value is allowed, or
   * `like` accepts one.
   */
  matches(like: (value: unknown) => boolean): boolean
}

/** The scope of one command for one frontend, merged from all permissions that allow it. */
export interface CommandScope extends Scope {
  /** The scope of the plugin's permissions that name no command. */
  readonly global: Scope
}

/** Creates a frozen scope: every call receives the same one. */
export function createScope(allow: readonly unknown[], deny: readonly unknown[]): Scope {
  return Object.freeze({
    allow: Object.freeze(allow),
    deny: Object.freeze(deny),
    matches: (like: (value: unknown) => boolean) =>
      !deny.some(value => like(value)) && (allow.length === 0 || allow.some(value => like(value))),
  })
}

const NOTHING = createScope([], [])
export const EMPTY_SCOPE: CommandScope = Object.freeze({ ...NOTHING, global: NOTHING })
