// What a caller may do with a command, beyond calling it: the scopes that its permissions come with. The bus hands them to
// the handler; holding to them is the handler's own job, as in Tauri.

/** Values of the shape that the command's plugin defines, for instance `{ path: '$HOME/**' }` of Tauri's fs. */
export interface Scope {
  readonly allow: readonly unknown[]
  readonly deny: readonly unknown[]
  /** Tauri's rule (`CommandScope::matches`): false where a denied value is `like`; true where none is allowed, or one is `like`. */
  matches(like: (value: unknown) => boolean): boolean
}

/** The scope of one command for one frontend: of all permissions that allow it together. */
export interface CommandScope extends Scope {
  /** Of the permissions of the same plugin that name no command. */
  readonly global: Scope
}

/** Frozen, since every call is given the same one. */
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
