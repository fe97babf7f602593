// How package managers lay out node_modules: their settings, and the commands that install and run in such a folder.
const npx = (...rest) => ['npx', '--yes', ...rest]
const YARN = '@yarnpkg/cli-dist@4.18.1'

/** @param {string} nodeLinker @returns {(local: string, registry: string) => Record<string, string>} */
const yarnSettings = nodeLinker => (local, registry) => ({
  // Without it Yarn takes the folder for a part of a project above.
  'yarn.lock': '',
  '.yarnrc.yml': `nodeLinker: ${nodeLinker}
npmRegistryServer: ${JSON.stringify(registry)}
npmScopes: { sallyport: { npmRegistryServer: ${JSON.stringify(local)} } }
unsafeHttpWhitelist: [127.0.0.1]
enableTelemetry: false
`,
})

/**
 * By name. `cases` are those of tests/bundled/src that work there: all, unless given. The others say what is in `else`.
 *
 * @type {Record<string, { add: string[], node: string[], settings?: ReturnType<typeof yarnSettings>, cases?: string[],
 *   else?: string }>}
 */
export const LAYOUTS = {
  npm: { add: ['npm', 'install', '--no-audit', '--no-fund'], node: ['node'] },
  pnpm: { add: npx('pnpm@12.21.0', 'add'), node: ['node'] },
  'pnpm hoisted': { add: npx('pnpm@12.21.0', 'add', '--node-linker=hoisted'), node: ['node'] },
  'yarn classic': { add: npx('yarn@1.22.22', 'add', '--no-progress'), node: ['node'] },
  'yarn node-modules': { add: npx('-p', YARN, 'yarn', 'add'), node: ['node'], settings: yarnSettings('node-modules') },
  'yarn pnpm': { add: npx('-p', YARN, 'yarn', 'add'), node: ['node'], settings: yarnSettings('pnpm') },
  'yarn pnp': {
    add: npx('-p', YARN, 'yarn', 'add'),
    node: npx('-p', YARN, 'yarn', 'node'),
    settings: yarnSettings('pnp'),
    // Its packages are in archives: what is under Node's permission model can't get at them (docs/guide/deploying.md).
    cases: ['none', 'pool'],
    else: 'nodeLinker: node-modules',
  },
}
