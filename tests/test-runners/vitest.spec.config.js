// For Vitest: npx vitest run --config vitest.spec.config.js --pool vmThreads.
export default { test: { root: 'spec', include: ['**/*.spec.js'], globals: true, testTimeout: 60_000 } }
