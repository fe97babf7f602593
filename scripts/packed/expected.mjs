// What tests/bundled/src/host.mjs prints where all is well, a line for each case.
const seen = refused =>
  JSON.stringify({
    greeting: 'Hello, World!',
    counted: [1, 2, 3],
    answered: 'asked',
    bytes: [3, 2, 1],
    refused,
    channel: 'number',
  })

/** @type {Readonly<Record<string, string>>} by case */
const EXPECTED = {
  brownfield: seen('Denied'),
  none: seen('Denied'),
  isolation: seen('Rejected'),
  process: seen('Denied'),
  'isolated process': seen('Rejected'),
  quickjs: '{"greeting":"Hello, World!"}',
  inspector: '[200,200,200]',
  pool: '144',
}

/** @param {readonly string[]} cases */
export const getExpected = (cases = Object.keys(EXPECTED)) => cases.map(name => `${name} ${EXPECTED[name]}\n`).join('')
