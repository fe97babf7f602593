// This package's own name and version, as published.
import { readFileSync } from 'node:fs'

interface PackageInfo {
  name: string
  version: string
}

export function readPackageInfo(): PackageInfo {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { name, version } = JSON.parse(text) as PackageInfo
  return { name, version }
}
