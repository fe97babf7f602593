// How every package and example runs its tests; each has a vitest.config.ts that hands this one on.
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const hasTypeTests = ['src', 'test']
  .filter(existsSync)
  .some(folder => readdirSync(folder, { recursive: true }).some(file => file.toString().endsWith('.test-d.ts')))

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: fileURLToPath(new URL('scripts/bundle-stale.mjs', import.meta.url)),
    pool: 'forks',
    // Most tests wait for threads to start: two files at a time are worth it even where there are two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What comes at last may take its time on a machine with much to do.
    expect: { poll: { timeout: 10_000 } },
    passWithNoTests: true,
    // Real threads on a machine that is shared: CI runs a failed test once more, and names it in its last lines.
    retry: process.env.CI ? 1 : 0,
    // The reports are what scripts/count-tests.mjs adds up.
    reporters: [
      'default',
      ['json', { outputFile: 'test-report.json' }],
      fileURLToPath(new URL('scripts/name-tests.mjs', import.meta.url)),
    ],
    // `*.test-d.ts` are checked by tsc; what is wrong elsewhere is for `npm run check` to say.
    typecheck: {
      enabled: hasTypeTests,
      include: ['**/*.test-d.ts'],
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
      ignoreSourceErrors: true,
    },
  },
})
