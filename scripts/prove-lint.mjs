// Plants one violation of each rule that the house depends on, in a copy of the layout, and demands that it is reported:
// a rule that has stopped working says nothing by itself.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const imports = name => `export { x } from '${name}'\n`
const border = 'no-restricted-imports'
const byName = 'imports-by-name'
const cycle = { 'packages/core/src/a.ts': imports('./b.js'), 'packages/core/src/b.ts': imports('./a.js') }
const typeImports = name => `import type { X } from '${name}'\nexport type Y = X\n`
const typeCycle = { 'packages/core/src/a.ts': typeImports('./b.js'), 'packages/core/src/b.ts': typeImports('./a.js') }
const typeExports = name => `export type { X } from '${name}'\n`
const exportCycle = { 'packages/core/src/a.ts': typeExports('./b.js'), 'packages/core/src/b.ts': typeExports('./a.js') }
const text = 'declare const text: string\n'
const work = 'const work = async (): Promise<void> => {}\n'

/** The rule that must report these files; without a rule, nothing may. */
const cases = [
  { rule: 'no-floating-promises', files: { 'packages/core/src/a.ts': `${work}work()\n` } },
  { rule: 'no-floating-promises', files: { 'packages/core/src/a.test.ts': `${work}work()\n` } },
  { rule: 'no-floating-promises', files: { 'examples/hello/a.ts': `${work}work()\n` } },
  { rule: 'no-misused-promises', files: { 'packages/core/src/a.ts': `${work}[1].forEach(work)\n` } },
  { rule: 'no-real-time', files: { 'packages/core/test/a.test.ts': 'setTimeout(() => {}, 20)\n' } },
  { files: { 'packages/core/test/matrix/a.test.ts': 'setTimeout(() => {}, 20)\n' } },
  { rule: 'few-rows', files: { 'packages/core/test/a.test.ts': 'test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])()\n' } },
  { rule: 'few-rows', files: { 'packages/core/test/a.test.ts': 'test("a", () => rows([1]))\n' } },
  { files: { 'packages/core/test/a.test.ts': 'test("a", () => rows([1])(n => n))\n' } },
  { rule: 'no-own-timers', files: { 'packages/core/src/a.ts': 'setTimeout(() => {}, 20)\n' } },
  { rule: 'no-own-timers', files: { 'packages/isolation/src/a.ts': 'export const a = AbortSignal.timeout(20)\n' } },
  {
    rule: 'no-own-timers',
    files: { 'packages/frontend/src/runtime/a.ts': "import { x } from 'node:timers/promises'\n" },
  },
  ...['packages/protocol/src/rpc/a.ts', 'packages/frontend/src/client/a.ts', 'extensions/web/src/a.ts'].map(file => ({
    rule: 'no-own-timers',
    files: { [file]: 'export const a = setInterval(() => {}, 20)\n' },
  })),
  {
    rule: 'no-own-timers',
    files: { 'extensions/mcp/src/a.ts': "import { Socket } from 'node:net'\nnew Socket().setTimeout(20)\n" },
  },
  { files: { 'packages/core/src/a.test.ts': 'setTimeout(() => {}, 1)\n' } },
  { files: { 'packages/bench/src/a.ts': 'setTimeout(() => {}, 20)\n' } },
  { rule: 'no-own-urls', files: { 'packages/quickjs/src/a.ts': `${text}export const a = new URL(text)\n` } },
  {
    rule: 'no-own-urls',
    files: { 'packages/core/src/a.ts': `${text}export const a = new URL(\`http://\${text}\`)\n` },
  },
  { rule: 'no-own-urls', files: { 'extensions/mcp/src/a.ts': `${text}export const a = URL.canParse(text)\n` } },
  { rule: 'no-own-urls', files: { 'extensions/web/src/a.ts': `${text}export const a = new globalThis.URL(text)\n` } },
  {
    rule: 'no-own-urls',
    files: { 'packages/paths/src/a.ts': "export { a }\nimport { domainToASCII as a } from 'node:url'\n" },
  },
  { files: { 'packages/core/src/a.ts': "export const a = new URL('./b.js', import.meta.url)\n" } },
  { files: { 'packages/core/src/a.ts': "export const a = new URL(import.meta.resolve('b'))\n" } },
  { rule: 'no-explicit-any', files: { 'packages/core/src/a.ts': 'export const a: any = 1\n' } },
  {
    rule: 'max-lines-per-function',
    files: { 'extensions/web/page/a.ts': `export function a() {\n${'a()\n'.repeat(79)}}\n` },
  },
  { files: { 'packages/core/src/a.ts': `export function a() {\n${'a()\n\n// a\n'.repeat(78)}}\n` } },
  { rule: 'no-cycle', files: cycle },
  { rule: 'no-cycle', files: typeCycle },
  { rule: 'no-cycle', files: exportCycle },
  { rule: 'no-default-export', files: { 'packages/core/src/a.ts': 'export default 1\n' } },
  { files: { 'examples/hello/core.ts': 'export default 1\n' } },
  { files: { 'packages/core/test/core.ts': 'export default 1\n' } },
  { rule: border, files: { 'packages/protocol/src/a.ts': imports('@sallyport/frontend/internal') } },
  { rule: border, files: { 'packages/frontend/src/a.ts': imports('@sallyport/core') } },
  { rule: border, files: { 'packages/isolation/src/a.ts': imports('@sallyport/frontend') } },
  { rule: border, files: { 'packages/isolation/src/a.ts': "void import('@sallyport/core')\n" } },
  { rule: border, files: { 'packages/core/src/a.ts': imports('@sallyport/isolation/worker') } },
  { rule: border, files: { 'packages/core/src/a.ts': imports('@sallyport/frontend') } },
  { rule: border, files: { 'packages/core/src/a.ts': imports('@sallyport/paths/internal') } },
  { rule: border, files: { 'packages/paths/src/a.ts': imports('@sallyport/core') } },
  { rule: border, files: { 'packages/process/src/a.ts': imports('@sallyport/core') } },
  { files: { 'packages/core/src/a.ts': imports('@sallyport/paths/internal/glob') } },
  { rule: border, files: { 'extensions/plugin-host/src/a.ts': imports('@sallyport/paths/internal') } },
  { rule: border, files: { 'extensions/mcp/src/a.ts': imports('@sallyport/paths/internal') } },
  { rule: border, files: { 'extensions/code-mode/src/a.ts': imports('@sallyport/protocol/internal') } },
  { rule: border, files: { 'extensions/code-mode/src/a.ts': imports('ai') } },
  { rule: border, files: { 'extensions/compare/src/a.ts': imports('@sallyport/core') } },
  { rule: border, files: { 'packages/measure/src/a.ts': imports('@sallyport/protocol/internal') } },
  {
    rule: 'no-restricted-properties',
    files: {
      'extensions/mcp/src/a.ts': 'declare const request: { url: string }\nexport const a = new URL(request.url)\n',
    },
  },
  { files: { 'extensions/tauri-plugins/src/a.ts': imports('@sallyport/paths/internal') } },
  {
    rule: border,
    files: { 'packages/core/src/host/a.ts': "import type { T } from '@sallyport/bench'\nexport type U = T\n" },
  },
  { rule: byName, files: { 'packages/core/src/host/a.ts': imports('../../../../isolation/src/gate/gate.js') } },
  { files: { 'packages/core/test/a.ts': imports('../src/isolation/a.js') } },
  { files: { 'packages/core/src/a.ts': imports('../../src/isolation/a.js') } },
  { rule: border, files: { 'extensions/nats/src/a.ts': imports('@sallyport/frontend/tauri') } },
  { rule: byName, files: { 'extensions/nats/src/core/a.ts': "void import('../../../../mcp/dist/hub.js')\n" } },
  { files: { 'extensions/nats/src/a.ts': imports('@sallyport/core/internal/network') } },
  { rule: border, files: { 'extensions/web/src/a.ts': imports('@sallyport/isolation/internal') } },
  { files: { 'extensions/web/src/a.ts': imports('@sallyport/core/internal') } },
  {
    rule: 'no-restricted-globals',
    files: { 'packages/protocol/src/codec/a.ts': 'export const a = Buffer.from([])\n' },
  },
  { rule: 'no-restricted-globals', files: { 'packages/frontend/src/client/a.ts': 'process.exit()\n' } },
  { rule: 'no-nodejs-modules', files: { 'packages/protocol/src/rpc/a.ts': imports('node:fs') } },
  { files: { 'packages/protocol/src/link/a.ts': imports('node:fs') } },
  { rule: border, files: { 'examples/hello/a.ts': imports('@sallyport/frontend/internal') } },
  { rule: border, files: { 'templates/plugin-host/a.js': imports('@sallyport/core/internal') } },
  { rule: byName, files: { 'tests/packed/a.ts': imports('../../../packages/core/src/index.js') } },
  { files: { 'packages/frontend/src/a.ts': imports('@sallyport/protocol/internal/wire') } },
  { files: { 'packages/core/src/a.ts': imports('@sallyport/frontend/internal') } },
  { files: { 'packages/core/src/a.ts': "export const w = import.meta.resolve('@sallyport/isolation/worker')\n" } },
  { files: { 'packages/bench/src/a.ts': imports('@sallyport/frontend/internal') } },
]

const root = fileURLToPath(new URL('../', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'sallyport-lint-'))
for (const file of ['.oxlintrc.json', 'scripts/test-rules.mjs']) {
  mkdirSync(dirname(join(directory, file)), { recursive: true })
  copyFileSync(join(root, file), join(directory, file))
}
cases.forEach(({ files }, index) => {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path.replace(/[^/]+$/, `case${index}/$&`))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
})
const shell = process.platform === 'win32'
const { stdout, stderr } = spawnSync('oxlint', ['--format=unix'], { cwd: directory, encoding: 'utf8', shell })
rmSync(directory, { recursive: true })

const wrong = cases.filter(({ rule }, index) => {
  const reported = stdout.split('\n').filter(line => line.includes(`/case${index}/`))
  return rule ? !reported.some(line => line.includes(`(${rule})`)) : reported.length > 0
})
for (const { rule, files } of wrong) console.error(rule ? `not reported: ${rule}` : 'reported, but fine:', files)
if (wrong.length > 0) console.error(stdout, stderr)
else console.log(`${cases.length} planted cases were judged as they should be`)
process.exitCode = wrong.length > 0 ? 1 : 0
