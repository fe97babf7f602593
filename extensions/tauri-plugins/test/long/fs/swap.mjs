// Renames two directories to the same name and back, until it is killed.
import { renameSync } from 'node:fs'
import { join } from 'node:path'

const [dir] = process.argv.slice(2)
for (;;) {
  for (const name of ['real', 'linked']) {
    try {
      renameSync(join(dir, name), join(dir, 'place'))
      renameSync(join(dir, 'place'), join(dir, name))
    } catch {}
  }
}
