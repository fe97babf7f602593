// What core uses of @sallyport/inspector, which is optional, built after core with its types, and has no declarations of its own.
declare module '@sallyport/inspector/internal' {
  export const openInspector: (
    bus: import('./host/inspectors.js').InspectedBus,
    options: { port: number; editor: string },
  ) => Promise<import('./host/inspectors.js').OpenInspector>
}

declare module '@sallyport/inspector/internal/calls' {
  export const CallWatch: new () => import('./shared/metrics.js').CallWatch
}

// The bundler takes in the members that are used.
declare module '*/package.json' {
  const manifest: { readonly version: string; readonly engines: { readonly node: string } }
  export default manifest
}
