// The modules that the benchmark's threads and processes run.

/** Returns the URL of `dist/workers/<name>.js`, also if a test runner runs the sources. */
export const workerUrl = (name: string): URL => new URL(import.meta.resolve(`#dist/workers/${name}`))
