// Test settings of every package and example; the vitest.config.ts of each re-exports these.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

const files = ['src', 'test']
  .filter(existsSync)
  .flatMap(folder => readdirSync(folder, { recursive: true }).map(file => `${folder}/${file.toString()}`))
const hasTypeTests = files.some(file => file.endsWith('.test-d.ts'))
/** Unit tests leave nothing behind in their process, whose start would cost more than most files of them. A mocked module would stay. */
const unitTests = files.filter(
  file => file.startsWith('src/') && file.endsWith('.test.ts') && !readFileSync(file, 'utf8').includes('vi.mock('),
)

/** Starts the soak, the longest of all files, first, so that nothing waits for it in the end. Vitest starts large files first. */
class SoakFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const isSoak = (file: (typeof files)[number]): boolean => file.moduleId.includes('/soak/')
    return (await super.sort(files)).toSorted((a, b) => Number(isSoak(b)) - Number(isSoak(a)))
  }
}

const exclude = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: unitTests, isolate: false, typecheck: { enabled: false } } },
      { extends: true, test: { name: 'process', include: ['**/*.test.ts'], exclude: [...exclude, ...unitTests] } },
    ],
    exclude,
    globalSetup: fileURLToPath(new URL('scripts/bundle-stale.mjs', import.meta.url)),
    setupFiles: fileURLToPath(new URL('scripts/compare-bytes.mjs', import.meta.url)),
    sequence: { sequencer: SoakFirst },
    pool: 'forks',
    // Two packages run at a time: more files at a time than this starve threads on two cores for seconds.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // On a busy machine a test can take ten times as long. Only one that hangs needs all of this.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    passWithNoTests: true,
    // scripts/count-tests.mjs adds the reports up.
    reporters: ['default', ['json', { outputFile: 'test-report.json' }]],
    // tsc checks `*.test-d.ts`; `npm run check` reports type errors elsewhere.
    typecheck: {
      enabled: hasTypeTests,
      include: ['**/*.test-d.ts'],
      tsconfig: fileURLToPath(new URL('tsconfig.type-tests.json', import.meta.url)),
      ignoreSourceErrors: true,
    },
  },
})
