// @ts-check
// Translates the permissions of a manifest to a capability, with scopes that name the directories of the plugin.

/**
 * @param {string} label
 * @param {readonly string[]} granted
 * @param {{ storage: string, documents: string }} directories the plugin's own directory, and the shared one
 * @returns {import('@sallyport/core').Capability}
 */
export function capabilityOf(label, granted, { storage, documents }) {
  const own = { directory: 'storage', at: storage }
  const shared = { directory: 'documents', at: documents }
  /** @type {Record<string, import('@sallyport/core').PermissionEntry[]>} */
  const meanings = {
    storage: [
      { identifier: 'files:allow-read-text', allow: [own] },
      { identifier: 'files:allow-write-text', allow: [own] },
    ],
    documents: [{ identifier: 'files:allow-read-text', allow: [shared] }],
    notify: ['allow-notify'],
  }
  const permissions = Object.entries(meanings).flatMap(([name, meaning]) => (granted.includes(name) ? meaning : []))
  return { identifier: label, windows: [label], permissions }
}

/** For all plugins: denies events, by which plugins could talk to each other. */
export const FOR_ALL = {
  identifier: 'all-plugins',
  windows: ['plugin-*'],
  permissions: ['listen', 'emit', 'emit-to'].map(name => `core:event:deny-${name}`),
}
