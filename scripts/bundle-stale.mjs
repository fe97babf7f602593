// What vitest runs first: tests load the other packages, and every worker, from dist/bundle/.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleStale } from './bundle.mjs'

export async function setup() {
  const packages = fileURLToPath(new URL('../packages/', import.meta.url))
  for (const name of readdirSync(packages)) await bundleStale(`${packages}${name}`)
}
