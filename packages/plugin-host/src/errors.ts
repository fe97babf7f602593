// Errors of the plugin host: a code to branch on, and the file and key of a mistake.

/**
 * `InvalidManifest`, `InvalidContent`: a mistake of the plugin, in `file` at `key`. `InvalidGrants`: one in the file of grants. `LabelInUse`: two
 * plugins, or a plugin and a frontend of the program, have one label. `Refused`: `ask` did not grant what the plugin requests. `Cancelled`: the
 * plugin was disabled meanwhile. `UnknownPlugin`, `InvalidOption`: a mistake of the caller. `InstallFailed`: what was to be installed is
 * unavailable, too large, or not what was pinned.
 */
export type PluginErrorCode =
  | 'InvalidManifest'
  | 'InvalidContent'
  | 'InvalidGrants'
  | 'LabelInUse'
  | 'Refused'
  | 'Cancelled'
  | 'UnknownPlugin'
  | 'InvalidOption'
  | 'InstallFailed'

/** The place of a mistake. */
export interface PluginErrorPlace {
  /** Path of the file. */
  file?: string
  /** Key in the file, as `sallyport.permissions.0`. */
  key?: string | undefined
  /** The error behind it. */
  cause?: unknown
}

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

  constructor(code: PluginErrorCode, text: string, { file, key, cause }: PluginErrorPlace = {}) {
    const place = [file, key].filter(Boolean).map(part => `${part}: `)
    super(place.join('') + text, cause === undefined ? undefined : { cause })
    this.code = code
    this.file = file
    this.key = key
  }
}

/** True for an error of the plugin host, with this code if one is given. */
export const isPluginError = (error: unknown, code?: PluginErrorCode): error is PluginError =>
  error instanceof Error && error.name === 'PluginError' && (code === undefined || (error as PluginError).code === code)
