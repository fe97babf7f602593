// @ts-check
// What the permissions of manifests mean here: a capability for each plugin, with scopes that name its own folders.

/**
 * @param {string} label
 * @param {readonly string[]} granted
 * @param {{ storage: string, documents: string }} folders the plugin's own, and everybody's
 * @returns {import('@sallyport/core').Capability}
 */
export function capabilityOf(label, granted, { storage, documents }) {
  const own = { folder: 'storage', at: storage }
  const shared = { folder: 'documents', at: documents }
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

/** Of all plugins: they have no part in events, in which everybody could speak to everybody, and learn no paths of this machine. */
export const FOR_ALL = {
  identifier: 'all-plugins',
  windows: ['plugin-*'],
  permissions: [
    ...['listen', 'emit', 'emit-to'].map(name => `core:event:deny-${name}`),
    ...['resolve-directory', 'resolve'].map(name => `core:path:deny-${name}`),
  ],
}
