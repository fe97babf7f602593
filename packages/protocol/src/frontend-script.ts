// Between the frontend worker and what runs its module as a script (`sandbox: 'ses'`). Neither imports the other: the host
// names the second, and the first loads it as it would load the user's module.

/** The part of `@sallyport/frontend` that a script gets, in a shape that is its own. */
export interface FrontendFunctions {
  readonly BusError: abstract new (...args: never) => Error
  readonly Channel: abstract new (...args: never) => object
  readonly CommandError: abstract new (...args: never) => Error
  isBusError(error: unknown, reason?: never): boolean
  isCommandError(error: unknown, code?: never): boolean
  getLabel(): string
  getData(): unknown
  invoke(command: never, args: never, options: never): Promise<unknown>
  stream(command: never, args: never, options: never): AsyncIterableIterator<unknown, void>
  emit(event: never, payload: unknown, options: never): Promise<void>
  emitTo(target: never, event: never, payload: unknown, options: never): Promise<void>
  listen(event: never, handler: never, options: never): Promise<() => void>
  once(event: never, handler: never, options: never): Promise<() => void>
  expose(functions: never): () => void
}

export interface FrontendScript {
  /**
   * Resolves once the script has run, and what it awaits at its top level has come.
   *
   * @param fault told of what the script throws later, and catches nowhere; safe to look at
   * @throws what the script threw, likewise
   */
  run(functions: FrontendFunctions, fault: (error: Error) => void): Promise<void>
}

/** The exports of `FrontendWorkerData.runner`. */
export interface ScriptRunner {
  /**
   * Reads a script, then locks this thread down for good.
   *
   * @throws BusError `InvalidParams` for what is no script
   */
  loadScript(url: string): Promise<FrontendScript>
}
