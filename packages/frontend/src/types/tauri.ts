// The commands of a core for the `invoke` of `@tauri-apps/api`: types alone, the package stays as it is.
import type { CallParameters, CommandName, CommandResult, CoreLike } from './commands.js'

/** The options of that `invoke`. */
export interface TauriInvokeOptions {
  headers: NonNullable<ConstructorParameters<typeof Headers>[0]>
}

/** What is given after the name: arguments, where the command has some, and options. */
export type TauriParameters<Core, Name> = CallParameters<Core, Name, 'json', TauriInvokeOptions>

/** As `invoke`, with bytes that are all of the result as Tauri gives them. */
export type TauriResult<Core, Name> = AsTauri<CommandResult<Core, Name>>

type AsTauri<Result> = unknown extends Result ? Result : Result extends Uint8Array ? ArrayBuffer : Result

/**
 * `invoke` of `@tauri-apps/api/core` for one core: names, arguments and results are checked. A `Channel` may be either
 * package's in type; at run time it must be that of `@tauri-apps/api`.
 *
 * @example
 * import { invoke as call } from '@tauri-apps/api/core'
 * export const invoke = call as TauriInvoke<typeof import('./core.js').default>
 *
 * // Or for code that stays as it is, in a declaration file; what no command of the core fits is as unchecked as before:
 * declare module '@tauri-apps/api/core' {
 *   export function invoke<Name extends CommandName<Core>>(
 *     command: Name, ...call: TauriParameters<Core, Name>
 *   ): Promise<TauriResult<Core, Name>>
 * }
 */
export type TauriInvoke<Core extends CoreLike> = <Name extends `${CommandName<Core>}`>(
  command: Name,
  ...call: TauriParameters<Core, Name>
) => Promise<TauriResult<Core, Name>>
