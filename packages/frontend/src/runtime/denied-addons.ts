// Remembers the native addons that Node refused to load. Packages catch that error, and throw another that says nothing of it.

/** Addons by the part of a path that the package which required them has: `node_modules/sharp/`. */
const files = new Map<string, string>()
const errors = new WeakMap<Error, string>()
/** Maximum number of packages that are remembered. */
const MAX_PACKAGES = 64

interface Module {
  readonly filename?: unknown
  readonly parent?: Module | null
}

/** Records each addon that is denied from now on. */
export function watchAddons(): void {
  const { dlopen } = process
  process.dlopen = (module: object, file: string, ...rest: number[]) => {
    try {
      return dlopen.call(process, module, file, ...rest)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') {
        errors.set(error as Error, file)
        // The package of the addon for this platform, and the package that requires it.
        const { parent } = module as Module
        for (const requirer of [parent, parent?.parent]) {
          const place = getPackagePath(String(requirer?.filename))
          if (place !== undefined && files.size < MAX_PACKAGES) files.set(place, file)
        }
      }
      throw error
    }
  }
}

/** Returns the addon of a denial, or that of a package which has thrown the error itself. */
export function findDeniedAddon(error: Error): string | undefined {
  const file = errors.get(error)
  if (file !== undefined || files.size === 0) return file
  const stack = String(error.stack).replaceAll('\\', '/')
  for (const [place, addon] of files) if (stack.includes(place)) return addon
  return undefined
}

/** Returns `node_modules/name/` of a file in a package. */
const getPackagePath = (file: string): string | undefined =>
  /.*(\/node_modules\/(?:@[^/]+\/)?[^/]+\/)/.exec(file.replaceAll('\\', '/'))?.[1]
