// What a process loads once, when it is first needed.

/** Returns a function that loads something once. A load that has failed is tried again with the next call: its cause can pass, such as a lack of descriptors. */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw error
    }))
}
