// The entry `@sallyport/tauri-plugins/internal/acl`: what core reads for a Tauri project that has no `gen/schemas/acl-manifests.json`.
export { createManifests } from './shared/permissions.js'
