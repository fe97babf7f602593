// Types the `invoke` of `@tauri-apps/api` by the commands of a core.
import type { CallParameters, CommandName, CommandResult, CoreLike } from './commands.js'

/** The parameters of Tauri's `invoke` after the command's name: arguments, if the command has some, and options. */
export type TauriParameters<Core, Name> = CallParameters<
  Core,
  Name,
  'json',
  { headers: NonNullable<ConstructorParameters<typeof Headers>[0]> }
>

/** The type that Tauri's `invoke` resolves with. Tauri returns bytes as an `ArrayBuffer` if they are the whole result. */
export type TauriResult<Core, Name> =
  CommandResult<Core, Name> extends infer Result
    ? unknown extends Result
      ? Result
      : Result extends Uint8Array
        ? ArrayBuffer
        : Result
    : never

/**
 * The `invoke` of `@tauri-apps/api/core` with checked names, arguments and results of one core. The type accepts the `Channel` of
 * either package; at run time it must be that of `@tauri-apps/api`.
 *
 * @example
 * import { invoke as call } from '@tauri-apps/api/core'
 * export const invoke = call as TauriInvoke<typeof import('./core.js').default>
 *
 * // Or without changing the code, in a declaration file. Calls that match no command of the core stay unchecked:
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
