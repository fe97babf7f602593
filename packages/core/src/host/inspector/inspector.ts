// What `bus.inspectServer` takes and gives.

export interface InspectorOptions {
  /** On 127.0.0.1; a free one by default. */
  port?: number
}

export interface Inspector extends AsyncDisposable {
  /** With the token that each request needs: whoever has it sees the page. */
  readonly url: string
  /** Ends it, whoever looks at it. The bus does it too, when it closes. */
  close(): Promise<void>
}

/** As the bus holds it. */
export interface OpenInspector extends Inspector {
  /** The pages say why. */
  end(why: string): Promise<void>
  /** Resolves once it has ended. */
  readonly closed: Promise<void>
}
