// What vitest runs first: tests load the other packages, and every worker, from dist/bundle/.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleStale } from './bundle.mjs'

export async function setup() {
  // Turbo has built what these tests need. It can be building another package now, whose files are not whole.
  if (process.env.TURBO_HASH !== undefined) return
  for (const top of ['packages', 'extensions']) {
    const directory = fileURLToPath(new URL(`../${top}/`, import.meta.url))
    for (const name of readdirSync(directory)) await bundleStale(`${directory}${name}`)
  }
}
