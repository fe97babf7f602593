// Errors of the plugin host.
import { escapeHidden } from '@sallyport/core/internal'

/**
 * `InvalidPlugin`: a mistake of the plugin, in `file` at `key`. `InvalidGrants`: one in the file of grants. `LabelInUse`: two plugins, or a
 * plugin and a frontend of the program, have one label. `Refused`: `ask` did not grant what the plugin requests. `InvalidAnswer`: it granted
 * more, or in another form. `Cancelled`: the plugin was disabled meanwhile. `UnknownPlugin`: there is none with this label. `InstallFailed`: the package is unavailable, too large, or
 * not what was pinned.
 */
export type PluginErrorCode =
  | 'InvalidPlugin'
  | 'InvalidGrants'
  | 'LabelInUse'
  | 'Refused'
  | 'Cancelled'
  | 'UnknownPlugin'
  | 'InvalidAnswer'
  | 'InstallFailed'

/** An error of the plugin host. */
export class PluginError extends Error {
  /** Always `PluginError`. */
  override readonly name = 'PluginError'
  /** What happened. */
  readonly code: PluginErrorCode
  /** Path of the file with the mistake. */
  readonly file: string | undefined
  /** Key in the file, as `sallyport.permissions.0`. */
  readonly key: string | undefined

  constructor(
    code: PluginErrorCode,
    text: string,
    place: { file?: string | undefined; key?: string; cause?: unknown } = {},
  ) {
    const { file, key, cause } = place
    // Others wrote the manifest, and chose its keys and the names of files.
    super(escapeHidden([file, key, text].filter(Boolean).join(': ')), cause === undefined ? undefined : { cause })
    this.code = code
    this.file = file
    this.key = key || undefined
  }
}
