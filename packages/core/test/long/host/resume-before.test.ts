// A run waits longer than a release: what another image has interrupted goes on with this one, if the image is kept.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleForBrowser } from '../../../../../scripts/bundle-browser.mjs'

const packages = fileURLToPath(new URL('../../../..', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'sallyport-resume-'))
const [before, now] = [join(root, 'before'), join(root, 'now')]
let image: string

interface Manifest {
  name: string
  dependencies?: Record<string, string>
}

/** Installs a package, with what it needs: the engine as a copy, because a script host reads nothing elsewhere; what the host alone loads as links. */
function install(folder: string, target: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const own = join(target, 'node_modules', manifest.name)
  for (const part of ['package.json', 'dist']) cpSync(join(folder, part), join(own, part), { recursive: true })
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const from = realpathSync(join(folder, 'node_modules', name))
    if (name.startsWith('@sallyport/')) install(from, target)
    else if (name === 'quickjs-wasi') cpSync(from, join(target, 'node_modules', name), { recursive: true })
    else {
      const to = join(own, 'node_modules', name)
      mkdirSync(dirname(to), { recursive: true })
      rmSync(to, { force: true })
      symlinkSync(from, to)
    }
  }
}

const PROGRAM = `
import { createBus, defineCore } from '@sallyport/core'
import { readFileSync, writeFileSync } from 'node:fs'

const [file, sandbox] = process.argv.slice(2)
const core = defineCore({ commands: { add: ({ a, b }) => a + b, ask: (_args, ctx) => ctx.interrupt({ question: 'Go on?' }) } })
const bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(7) } })
const source = \`
  const seen = new Map([['five', await invoke('add', { a: 2, b: 3 })]])
  const answer = await invoke('ask')
  return [answer, seen.get('five'), await invoke('add', { a: 4, b: 5 })]\`
const options = { allow: ['add', 'ask'], report: true }
try {
  if (sandbox) {
    const { continuation, error } = await bus.run(source, { ...options, sandbox: JSON.parse(sandbox) })
    if (error) throw error
    writeFileSync(file, continuation)
  } else console.log(JSON.stringify((await bus.resume(readFileSync(file), { value: 'yes' }, options)).value))
} catch (error) {
  console.log(error.message)
} finally {
  await bus.close()
}
`

const run = (directory: string, ...args: string[]): string =>
  execFileSync(process.execPath, ['program.mjs', ...args], { cwd: directory, encoding: 'utf8' }).trim()

beforeAll(async () => {
  for (const target of [before, now]) {
    install(join(packages, 'core'), target)
    writeFileSync(join(target, 'program.mjs'), PROGRAM)
  }
  // As a release whose code within a VM is another one has it.
  const quickjs = join(root, 'quickjs')
  cpSync(join(packages, 'quickjs/dist'), join(quickjs, 'dist'), { recursive: true })
  cpSync(join(packages, 'quickjs/package.json'), join(quickjs, 'package.json'))
  symlinkSync(join(packages, 'quickjs/node_modules'), join(quickjs, 'node_modules'))
  const inside = join(quickjs, 'dist/inside.js')
  writeFileSync(
    inside,
    `${readFileSync(inside, 'utf8')}\nglobalThis.earlier = Array.from({ length: 5000 }, (_, at) => ({ at }))\n`,
  )
  const [{ code }] = (await bundleForBrowser(quickjs, 'inside', 'img')) as unknown as [{ code: Uint8Array }]
  image = createHash('sha256').update(code).digest('hex').slice(0, 16)
  writeFileSync(join(before, 'node_modules/@sallyport/quickjs/dist/browser/inside.img'), code)
  writeFileSync(join(root, `${image}.img`), code)
}, 120_000)

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Installs the kept images in the release of now. */
function keep(images: readonly string[], withdrawn: Record<string, string> = {}): void {
  const kept = join(now, 'node_modules/@sallyport/quickjs-images')
  rmSync(kept, { recursive: true, force: true })
  mkdirSync(join(kept, 'images'), { recursive: true })
  cpSync(join(packages, 'quickjs-images/package.json'), join(kept, 'package.json'))
  writeFileSync(join(kept, 'withdrawn.json'), JSON.stringify(withdrawn))
  for (const name of images) cpSync(join(root, `${name}.img`), join(kept, 'images', `${name}.img`))
}

const SANDBOXES = [{ kind: 'quickjs' }, { kind: 'quickjs', process: true, wall: 'none' }] as const

test.each(SANDBOXES)('what the release before has interrupted goes on once, in %j', sandbox => {
  const file = join(root, 'continuation')
  expect(run(before, file, JSON.stringify(sandbox))).toBe('')
  expect(run(now, file)).toContain('Install @sallyport/quickjs-images in its newest version')
  keep([])
  expect(run(now, file)).toContain('Install @sallyport/quickjs-images in its newest version')
  keep([image], { [image]: 'its clock was wrong until 0.1.3' })
  expect(run(now, file)).toContain('That one was withdrawn: its clock was wrong until 0.1.3')
  keep([image])
  expect(run(now, file)).toBe('["yes",5,9]')
  rmSync(join(now, 'node_modules/@sallyport/quickjs-images'), { recursive: true })
})
