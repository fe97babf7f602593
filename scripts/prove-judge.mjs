// Shows judge-failures.mjs failures of each kind, and demands its verdict: a policy that forgives too much says nothing by itself.
import { judge } from './judge-failures.mjs'

const flaky = {
  directory: 'packages/core',
  command: 'vitest run',
  file: 'packages/core/test/a.test.ts',
  tests: ['is quick'],
  errors: ['AssertionError: expected 1 to be 2'],
}
const late = { ...flaky, errors: ['Error: Test timed out in 90000ms.'] }
const entry = { file: flaky.file, test: 'is quick', since: '2026-01-01', expires: '2026-01-15' }
const beside = (name, each = flaky) => ({ ...each, file: `packages/core/test/${name}.test.ts` })
const lateFiles = Array.from({ length: 11 }, (_, index) => beside(index, late))
const others = ['b', 'c', 'd', 'e', 'f'].map(name => ({ ...entry, file: beside(name).file }))

const helper = 'packages/core/test/support/x.ts'
const cases = [
  { name: 'passes alone', failed: [flaky], verdict: 'unstable' },
  { name: 'two files', failed: [flaky, beside('b')], verdict: 'unstable' },
  { name: 'fails again', failed: [flaky], deps: { passes: () => false }, verdict: 'failed' },
  { name: 'three files', failed: [flaky, beside('b'), beside('c')], verdict: 'failed' },
  { name: 'two files, and ten out of time', failed: [flaky, beside('b'), ...lateFiles.slice(1)], verdict: 'unstable' },
  { name: 'eleven files out of time', failed: lateFiles, verdict: 'failed' },
  { name: 'out of time again', failed: [late], deps: { passes: () => false }, verdict: 'failed' },
  {
    name: 'a seed out of time',
    failed: [{ ...late, file: 'packages/core/test/simulation/a.test.ts' }],
    verdict: 'unstable',
  },
  {
    name: 'a unit out of time, and wrong after it',
    failed: [{ ...late, file: 'packages/core/src/a.test.ts', errors: [[...late.errors, ...flaky.errors].join('\n')] }],
    verdict: 'failed',
  },
  {
    name: 'out of time, and wrong',
    failed: [{ ...late, file: 'packages/core/src/a.test.ts', errors: [...late.errors, ...flaky.errors] }],
    verdict: 'failed',
  },
  { name: 'cannot load', failed: [{ ...flaky, tests: [], errors: [] }], verdict: 'failed' },
  { name: 'a unit', failed: [{ ...flaky, file: 'packages/core/src/a.test.ts' }], verdict: 'failed' },
  { name: 'a seed', failed: [{ ...flaky, file: 'packages/core/test/simulation/a.test.ts' }], verdict: 'failed' },
  { name: 'on the stage', failed: [flaky], deps: { read: () => "from '../support/stage.js'" }, verdict: 'failed' },
  { name: 'changed today', failed: [flaky], deps: { changed: new Set([flaky.file]) }, verdict: 'failed' },
  {
    name: 'helper changed today',
    failed: [flaky],
    deps: { read: () => "from './support/x.js'", changed: new Set([helper]) },
    verdict: 'failed',
  },
  { name: 'known, in time', failed: [flaky], deps: { ledger: [entry], today: '2026-01-10' }, verdict: 'unstable' },
  { name: 'known, late', failed: [flaky], deps: { ledger: [entry], today: '2026-01-20' }, verdict: 'failed' },
  { name: 'in a release', failed: [flaky], deps: { isRelease: true }, verdict: 'failed' },
  { name: 'the sixth', failed: [flaky], deps: { ledger: others }, verdict: 'failed' },
  { name: 'one of five', failed: [beside('b')], deps: { ledger: others, today: '2026-01-10' }, verdict: 'unstable' },
]

const defaults = { read: () => '', changed: new Set(), ledger: [], passes: () => true, isRelease: false }
const wrong = cases.filter(({ failed, deps, verdict }) =>
  judge(failed, { ...defaults, ...deps }).some(each => each.verdict !== verdict),
)
for (const { name, verdict } of wrong) console.error(`${name}: must be ${verdict}`)
if (wrong.length === 0) console.log(`${cases.length} failures were judged as they should be`)
process.exitCode = wrong.length > 0 ? 1 : 0
