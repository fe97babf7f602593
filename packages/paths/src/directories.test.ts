// Every base directory on three platforms, by the rules of Rust's `dirs` and of Tauri.
import { expect, it } from 'vitest'
import { BaseDirectory, type DirectoryName, getDirectory, type PathEnvironment } from './directories.js'

const USER_DIRS = `# This file is written by xdg-user-dirs-update
XDG_DESKTOP_DIR="$HOME/Schreibtisch"
XDG_DOWNLOAD_DIR="/mnt/downloads"
XDG_TEMPLATES_DIR="$HOME/"
XDG_MUSIC_DIR="$HOME/My \\"Music\\""
XDG_VIDEOS_DIR="relative"
`

const around = (platform: PathEnvironment['platform'], more: Partial<PathEnvironment> = {}): PathEnvironment => ({
  platform,
  env: {},
  home: platform === 'win32' ? 'C:\\Users\\ann' : '/home/ann',
  identifier: 'com.example.app',
  resources: '/opt/app',
  userDirs: () => undefined,
  ...more,
})

const all = (surroundings: PathEnvironment): Partial<Record<DirectoryName, string>> =>
  Object.fromEntries(
    Object.keys(BaseDirectory)
      .map(name => [name, getDirectory(name as DirectoryName, surroundings)] as const)
      .filter(([, path]) => path !== undefined),
  )

it('Linux', () => {
  const requested: string[] = []
  const userDirs = (config: string): string => (requested.push(config), USER_DIRS)
  expect(all(around('linux', { userDirs }))).toEqual({
    Audio: '/home/ann/My "Music"',
    Cache: '/home/ann/.cache',
    Config: '/home/ann/.config',
    Data: '/home/ann/.local/share',
    LocalData: '/home/ann/.local/share',
    Download: '/mnt/downloads',
    Resource: '/opt/app',
    Temp: '/tmp',
    AppConfig: '/home/ann/.config/com.example.app',
    AppData: '/home/ann/.local/share/com.example.app',
    AppLocalData: '/home/ann/.local/share/com.example.app',
    AppCache: '/home/ann/.cache/com.example.app',
    AppLog: '/home/ann/.local/share/com.example.app/logs',
    Desktop: '/home/ann/Schreibtisch',
    Executable: '/home/ann/.local/bin',
    Font: '/home/ann/.local/share/fonts',
    Home: '/home/ann',
  })
  expect(new Set(requested)).toEqual(new Set(['/home/ann/.config']))
})

it('Linux with its variables, of which relative ones are ignored', () => {
  const env = {
    XDG_CONFIG_HOME: '/etc/ann',
    XDG_DATA_HOME: 'relative',
    XDG_RUNTIME_DIR: '/run/user/1000',
    XDG_CACHE_HOME: '/var/cache/ann',
    XDG_BIN_HOME: '/home/ann/bin',
    TMPDIR: '/var/tmp',
  }
  expect(all(around('linux', { env }))).toMatchObject({
    Config: '/etc/ann',
    AppConfig: '/etc/ann/com.example.app',
    Data: '/home/ann/.local/share',
    Runtime: '/run/user/1000',
    AppCache: '/var/cache/ann/com.example.app',
    Executable: '/home/ann/bin',
    Temp: '/var/tmp',
  })
})

it('macOS', () => {
  const support = '/home/ann/Library/Application Support'
  expect(all(around('darwin', { env: { TMPDIR: '/var/folders/x/T/' } }))).toEqual({
    Audio: '/home/ann/Music',
    Cache: '/home/ann/Library/Caches',
    Config: support,
    Data: support,
    LocalData: support,
    Document: '/home/ann/Documents',
    Download: '/home/ann/Downloads',
    Picture: '/home/ann/Pictures',
    Public: '/home/ann/Public',
    Video: '/home/ann/Movies',
    Resource: '/opt/app',
    Temp: '/var/folders/x/T/',
    AppConfig: `${support}/com.example.app`,
    AppData: `${support}/com.example.app`,
    AppLocalData: `${support}/com.example.app`,
    AppCache: '/home/ann/Library/Caches/com.example.app',
    AppLog: '/home/ann/Library/Logs/com.example.app',
    Desktop: '/home/ann/Desktop',
    Font: '/home/ann/Library/Fonts',
    Home: '/home/ann',
  })
})

it('Windows', () => {
  const env = {
    APPDATA: 'C:\\Users\\ann\\AppData\\Roaming',
    LOCALAPPDATA: 'D:\\Local',
    TMP: 'D:\\Temp',
    PUBLIC: 'C:\\Users\\Public',
  }
  expect(all(around('win32', { env, resources: 'C:\\app' }))).toEqual({
    Audio: 'C:\\Users\\ann\\Music',
    Cache: 'D:\\Local',
    Config: 'C:\\Users\\ann\\AppData\\Roaming',
    Data: 'C:\\Users\\ann\\AppData\\Roaming',
    LocalData: 'D:\\Local',
    Document: 'C:\\Users\\ann\\Documents',
    Download: 'C:\\Users\\ann\\Downloads',
    Picture: 'C:\\Users\\ann\\Pictures',
    Public: 'C:\\Users\\Public',
    Video: 'C:\\Users\\ann\\Videos',
    Resource: 'C:\\app',
    Temp: 'D:\\Temp',
    AppConfig: 'C:\\Users\\ann\\AppData\\Roaming\\com.example.app',
    AppData: 'C:\\Users\\ann\\AppData\\Roaming\\com.example.app',
    AppLocalData: 'D:\\Local\\com.example.app',
    AppCache: 'D:\\Local\\com.example.app',
    AppLog: 'D:\\Local\\com.example.app\\logs',
    Desktop: 'C:\\Users\\ann\\Desktop',
    Home: 'C:\\Users\\ann',
    Template: 'C:\\Users\\ann\\AppData\\Roaming\\Microsoft\\Windows\\Templates',
  })
})

it('Windows, without its variables', () => {
  expect(all(around('win32'))).toMatchObject({
    Config: 'C:\\Users\\ann\\AppData\\Roaming',
    LocalData: 'C:\\Users\\ann\\AppData\\Local',
    Public: 'C:\\Users\\Public',
  })
})

it('without a home directory, those below it do not exist', () => {
  const names = (platform: PathEnvironment['platform']): string[] =>
    Object.keys(all(around(platform, { home: undefined, userDirs: () => USER_DIRS }))).toSorted()
  expect(names('linux')).toEqual(['Resource', 'Temp'])
  expect(names('darwin')).toEqual(['Resource', 'Temp'])
  expect(names('win32')).toEqual(['Public', 'Resource'])
})
