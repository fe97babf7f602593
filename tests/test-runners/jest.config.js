// For Jest: `node --experimental-vm-modules node_modules/jest/bin/jest.js`, or NODE_OPTIONS=--experimental-vm-modules npx jest.
// Jest must not transform ES modules.
export default { rootDir: 'spec', testMatch: ['**/*.spec.js'], transform: {}, testTimeout: 60_000 }
