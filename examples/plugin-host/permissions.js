// @ts-check
// Translates the permissions of a manifest to the option `allow`, with scopes that name the directories of the plugin.

/**
 * @param {readonly string[]} granted
 * @param {{ storage: string, documents: string }} directories the plugin's own directory, and the shared one
 * @returns {(string | import('@sallyport/core').ScopedPermission)[]}
 */
export function toAllow(granted, { storage, documents }) {
  const own = { directory: 'storage', at: storage }
  const shared = { directory: 'documents', at: documents }
  /** @type {Record<string, ReturnType<typeof toAllow>>} */
  const meanings = {
    storage: [
      { permission: 'plugin:files|read_text', allow: [own] },
      { permission: 'plugin:files|write_text', allow: [own] },
    ],
    documents: [{ permission: 'plugin:files|read_text', allow: [shared] }],
    notify: ['notify'],
  }
  return Object.entries(meanings).flatMap(([name, meaning]) => (granted.includes(name) ? meaning : []))
}

/** For all plugins: denies events, by which plugins could talk to each other. */
export const NO_EVENTS = {
  identifier: 'no-events',
  windows: ['*'],
  permissions: ['listen', 'emit', 'emit-to'].map(name => `core:event:deny-${name}`),
}
