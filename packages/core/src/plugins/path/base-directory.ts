// Tauri's base directories by name and number.

/** By the numbers that `@tauri-apps/api/path` has for them. */
export const BaseDirectory = {
  Audio: 1,
  Cache: 2,
  Config: 3,
  Data: 4,
  LocalData: 5,
  Document: 6,
  Download: 7,
  Picture: 8,
  Public: 9,
  Video: 10,
  Resource: 11,
  Temp: 12,
  AppConfig: 13,
  AppData: 14,
  AppLocalData: 15,
  AppCache: 16,
  AppLog: 17,
  Desktop: 18,
  Executable: 19,
  Font: 20,
  Home: 21,
  Runtime: 22,
  Template: 23,
} as const

export type BaseDirectory = (typeof BaseDirectory)[keyof typeof BaseDirectory]
export type DirectoryName = keyof typeof BaseDirectory
