// The commands and the global of @tauri-apps/plugin-os.
import type { Plugin } from '@sallyport/core'
import { createPlugin } from './shared/plugin.js'
import { readFileSync } from 'node:fs'
import { EOL, hostname, release } from 'node:os'

export interface OsEnvironment {
  readonly platform: string
  readonly arch: string
  readonly eol: string
  /** The kernel's. */
  readonly release: string
  /** @throws if the file cannot be read */
  read(path: string): string
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  ...{ x64: 'x86_64', arm64: 'aarch64', ia32: 'x86', ppc: 'powerpc', ppc64: 'powerpc64', loong64: 'loongarch64' },
  ...{ mipsel: 'mips' },
}
const PLATFORMS: Readonly<Record<string, string>> = { darwin: 'macos', win32: 'windows', sunos: 'solaris' }

interface OsInfo {
  readonly eol: string
  readonly os_type: string
  readonly platform: string
  readonly family: 'unix' | 'windows'
  /** The version of the distribution on Linux, and of the product on macOS. */
  readonly version: string
  readonly arch: string
  readonly exe_extension: '' | 'exe'
}

/** Returns the script that sets the answers of the synchronous functions of @tauri-apps/plugin-os. */
export const getOsScript = (info: OsInfo): string =>
  `Object.defineProperty(window, '__TAURI_OS_PLUGIN_INTERNALS__', { value: Object.freeze(${toLiteral(info)}), configurable: true })`

/** A page can have the script in a `<script>` element. */
const toLiteral = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** Returns Tauri's plugin `os`. Only `locale` and `hostname` are commands. The other answers are a script of every frontend and need no permission. */
export function os(): Plugin<'os'> {
  const { platform, arch, env } = process
  const read = (path: string): string => readFileSync(path, 'utf8')
  return createPlugin('os', {
    script: getOsScript(describeOs({ platform, arch, eol: EOL, release: release(), read })),
    commands: {
      locale: () => getLocale(platform, env),
      hostname: () => hostname(),
    },
  })
}

export function describeOs({ platform, arch, eol, release: kernel, read }: OsEnvironment): OsInfo {
  const isWindows = platform === 'win32'
  const name = PLATFORMS[platform] ?? platform
  return {
    eol,
    os_type: ['windows', 'macos', 'android', 'ios'].includes(name) ? name : 'linux',
    platform: name,
    family: isWindows ? 'windows' : 'unix',
    version: findVersion(platform, read) ?? kernel,
    arch: ARCHITECTURES[arch] ?? arch,
    exe_extension: isWindows ? 'exe' : '',
  }
}

function findVersion(platform: string, read: (path: string) => string): string | undefined {
  try {
    if (platform === 'darwin') {
      const plist = read('/System/Library/CoreServices/SystemVersion.plist')
      return /<key>ProductVersion<\/key>\s*<string>([^<]+)</.exec(plist)?.[1]
    }
    if (platform === 'linux') return /^VERSION_ID="?([^"\n]*)"?$/m.exec(read('/etc/os-release'))?.[1]
  } catch {
    // A container can lack the file.
  }
  return undefined
}

/** Returns a BCP 47 tag, or null for the locales C and POSIX. */
export function getLocale(platform: string, env: Readonly<Record<string, string | undefined>>): string | null {
  if (platform === 'win32' || platform === 'darwin') return Intl.DateTimeFormat().resolvedOptions().locale
  const name = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  const [tag = ''] = name.replaceAll('_', '-').split(/[.@]/)
  try {
    return tag === 'C' || tag === 'POSIX' ? null : (Intl.getCanonicalLocales(tag)[0] ?? null)
  } catch {
    return null
  }
}
