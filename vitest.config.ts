// Test settings of every package and example; the vitest.config.ts of each re-exports these. A file's path decides its tier:
//   src, test            `npm test`: the units, some again as in a page, and what the product promises, over real workers
//   test/long            `npm run test:long`: faults, hostile code, and a smoke of all that takes long
//   test/matrix          `npm run test:matrix`: browsers, servers, loads, versions
//   test/generated       `npm run check`: files that are generated from the code
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { configDefaults, defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { BaseSequencer, type Reporter, type SerializedError } from 'vitest/node'

const files = ['src', 'test']
  .filter(existsSync)
  .flatMap(folder => readdirSync(folder, { recursive: true }).map(file => `${folder}/${file.toString()}`))
const unitTests = files.filter(file => file.startsWith('src/') && file.endsWith('.test.ts'))
// What a file mocks stays in its process. Vitest lets files share one if their environments are equal, so those that mock name one of their own.
for (const file of files.filter(
  file => file.endsWith('.test.ts') && !/^test\/(?:long|matrix|generated)\//.test(file),
)) {
  const text = readFileSync(file, 'utf8')
  const line = `// @vitest-environment-options { "alone": "${basename(file, '.test.ts')}" }\n`
  if (text.includes('vi.mock(') && !text.startsWith(line))
    throw new Error(`${file} mocks a module. Begin it with ${line}`)
}

/** Starts the longest files of all first, so that nothing waits for them in the end. Vitest starts large files first, and these are small. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const isLongest = (file: (typeof files)[number]): boolean =>
      /\/soak\/|\/(?:ways-and-sizes|simulation)\.test/.test(file.moduleId)
    return (await super.sort(files)).toSorted((a, b) => Number(isLongest(b)) - Number(isLongest(a)))
  }
}

const resolve = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const exclude = ['**/node_modules/**', '**/dist/**']
const long = '**/test/long/**/*.test.ts'
const matrix = '**/test/matrix/**/*.test.ts'
const generated = '**/test/generated/**/*.test.ts'
/** Random tests begin here in `npm test`, and go on in `npm run test:long`. */
const random = ['**/test/simulation/*.test.ts', '**/test/fuzz/*.test.ts']
/** Name of the package's script that runs the tests. */
const { npm_lifecycle_event: script = 'test', TURBO_HASH } = process.env

/** With its causes, and what is ours of its stack; an error within `vi.waitFor` has nothing else that tells of it. */
function describe({ name, message, diff, stack, cause }: SerializedError): string {
  const isOurs = (line: string): boolean =>
    line.startsWith('    at ') && (!/node_modules|node:|<anonymous>/.test(line) || line.includes('checkCallback'))
  return [
    `${name ?? 'Error'}: ${message}`,
    ...(typeof diff === 'string' ? [stripVTControlCharacters(diff)] : []),
    ...(stack?.split('\n').filter(isOurs) ?? []),
    ...(Object(cause) === cause ? [`Caused by: ${describe(cause as SerializedError)}`] : []),
  ]
    .join('\n')
    .replaceAll(resolve('.'), '')
}
const report = `test-report.${script.replaceAll(/\W/g, '-')}.jsonl`
const tell = (event: object): void => appendFileSync(report, `${JSON.stringify(event)}\n`)
/** Says what happens: scripts/run-tests.mjs reads the file while it grows, or as turbo's cache has kept it. */
const reporter: Reporter = {
  onInit: () => writeFileSync(report, ''),
  onTestModuleStart: ({ relativeModuleId: file, project }) => tell({ type: 'start', file, project: project.name }),
  onTestCaseResult(testCase) {
    const { state, errors } = testCase.result()
    if (state !== 'failed') return
    const { relativeModuleId: file, project } = testCase.module
    // As `-t` has it.
    const test = testCase.fullName.replaceAll(' > ', ' ')
    tell({ type: 'failure', file, project: project.name, test, errors: errors.map(describe) })
  },
  onTestModuleEnd(module) {
    const { relativeModuleId: file, project, children } = module
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const test of children.allTests()) {
      const { state } = test.result()
      counts[state === 'pending' ? 'skipped' : state]++
    }
    const errors = [module, ...children.allSuites()].flatMap(each => each.errors()).map(describe)
    if (errors.length > 0) tell({ type: 'failure', file, project: project.name, test: 'the whole file', errors })
    tell({ type: 'end', file, project: project.name, ...counts, ms: module.diagnostic().duration })
  },
  onTestRunEnd: (_, errors) => tell({ type: 'over', errors: errors.map(describe) }),
}

/** The `imports` of the packages' files, as sources: Node's own resolution finds what was built of them. */
const getAliases = (condition: 'browser' | 'default'): Record<string, string> =>
  Object.fromEntries(
    ['protocol', 'frontend'].flatMap(name => {
      const file = resolve(`packages/${name}/package.json`)
      const { imports } = JSON.parse(readFileSync(file, 'utf8')) as { imports: Record<string, Record<string, string>> }
      return Object.entries(imports).map(([key, paths]) => {
        const path = (paths[condition] ?? paths['default']!).replace('./dist/', 'src/').replace(/js$/, 'ts')
        return [key, resolve(`packages/${name}/${path}`)]
      })
    }),
  )

/** Returns a project of those unit tests that run again with the files for browsers, as in a page. */
export function inBrowser(files: RegExp): TestProjectConfiguration {
  const alias = { ...getAliases('browser'), '@sallyport/protocol/internal': resolve('packages/protocol/src') }
  return {
    extends: true,
    resolve: { alias },
    test: {
      name: 'browser',
      include: unitTests.filter(file => files.test(file)),
      env: { SALLYPORT_TEST_PLATFORM: 'browser' },
      setupFiles: resolve('scripts/as-page.mjs'),
      isolate: false,
    },
  }
}

export default defineConfig({
  resolve: { alias: getAliases('default') },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: unitTests, isolate: false } },
      {
        extends: true,
        test: {
          name: 'workers',
          // As the units: files leave nothing behind in their process, whose start costs as much as many of them.
          isolate: false,
          // The units are first: they are the fastest.
          sequence: { groupOrder: 1 },
          include: ['**/*.test.ts'],
          exclude: [...exclude, ...unitTests, long, matrix, generated],
        },
      },
      {
        extends: true,
        test: { name: 'long', include: [long, ...random], env: { SALLYPORT_TEST_TIER: 'long' } },
      },
      { extends: true, test: { name: 'matrix', include: [matrix], env: { SALLYPORT_TEST_WAYS: 'all' } } },
      { extends: true, test: { name: 'generated', include: [generated] } },
    ],
    exclude,
    // What a worker loads is not among the imports of its test.
    forceRerunTriggers: [...configDefaults.forceRerunTriggers, ...(script === 'watch' ? ['**/src/**/*.ts'] : [])],
    globalSetup: resolve('scripts/bundle-stale.mjs'),
    setupFiles: resolve('scripts/each-test-file.mjs'),
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // Two packages run at a time: more files at a time than this starve threads on two cores for seconds.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // On a busy machine a test can take ten times as long. Only one that hangs needs all of this.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Far below the test's own limit, so that it says what did not come, also if the test began long before.
    expect: { poll: { timeout: 45_000 } },
    // The last lines of CI are all that is known of a test that failed there.
    chaiConfig: { truncateThreshold: 2000 },
    passWithNoTests: true,
    reporters: ['default', ...(TURBO_HASH && script.startsWith('test') ? [reporter] : [])],
  },
})
