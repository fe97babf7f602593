// node scripts/keep-image.mjs: puts the image of this build among those that @sallyport/quickjs-images brings. A release commits it (CONTRIBUTING.md), so that
// later ones can resume what this one has interrupted.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(`../packages/${path}`, import.meta.url))

const image = at('quickjs/dist/browser/inside.img')
// As `core/src/life/sandboxes/quickjs.ts` names it.
const name = createHash('sha256').update(readFileSync(image)).digest('hex').slice(0, 16)
mkdirSync(at('quickjs-images/images'), { recursive: true })
copyFileSync(image, at(`quickjs-images/images/${name}.img`))
