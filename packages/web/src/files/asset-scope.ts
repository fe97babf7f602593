// The scope of the asset protocol: which paths a page can load files from, as in `app.security.assetProtocol.scope`.
import type { AssetScope, PathResolver } from '@sallyport/core/internal'
import { checkPathEntry, getPathScopeOptions, PathScope } from '@sallyport/paths/internal'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'

/**
 * Compiles the scope of a configuration.
 *
 * @param warn - receives what is ignored: a directory that this system does not have
 * @throws {BusError} InvalidParams for a malformed glob
 */
export function createAssetScope(config: AssetScope, paths: PathResolver, warn: (text: string) => void): PathScope {
  const check = (pattern: string): void => {
    const where = `app.security.assetProtocol.scope: ${JSON.stringify(pattern)}`
    try {
      checkPathEntry(pattern)
    } catch (cause) {
      throw new BusError('InvalidParams', `${where}: ${describeThrown(cause)}`, { cause })
    }
    try {
      paths.parse(pattern)
    } catch (error) {
      warn(`${where} is ignored: ${describeThrown(error)}`)
    }
  }
  const { allow = [], deny = [], requireLiteralLeadingDot = config['require-literal-leading-dot'] } = config
  for (const pattern of [...allow, ...deny]) check(pattern)
  return new PathScope({ allow, deny }, paths, getPathScopeOptions(requireLiteralLeadingDot ?? undefined))
}
