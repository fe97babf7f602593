// The exports of this package in a process: its program has them, so that what the frontend imports is not loaded a second time, and each
// class exists once. The condition `sallyport-process` of package.json leads to files that read them here.

/** A registered symbol: the exports are found by another copy of this package too. */
const EXPORTS: unique symbol = Symbol.for('@sallyport/frontend:exports')

/** The exports of each entry of package.json, which are requested when its module is evaluated. */
export type SharedExports = Readonly<Record<string, () => object>>

export function shareExports(entries: SharedExports): void {
  const getExports = (entry: string): object | undefined => entries[entry]?.()
  Object.defineProperty(globalThis, EXPORTS, { value: getExports })
}
