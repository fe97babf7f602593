// What became of each action of a seed, and whether another run of the same seed had the same.
/** What no user has ordered. */
const LOST = /^(?:Disconnected(?!.*forged)|Timeout)/

export class Outcomes {
  readonly settledAs = new Map<string, string>()
  readonly #begun = new Set<string>()
  readonly #expected: Outcomes | undefined
  readonly #waiting = new Map<string, () => void>()

  /** @param expected - of a run in which nothing was held */
  constructor(expected?: Outcomes) {
    this.#expected = expected
  }

  begins(name: string | undefined): void {
    if (name !== undefined) this.#begun.add(name)
  }

  /** Resolves once it runs, or has ended without that. */
  whenRun(name: string): Promise<void> {
    return new Promise(resolve => void this.#waiting.set(name, resolve))
  }

  runs(name: string | undefined): void {
    if (name !== undefined) this.#waiting.get(name)?.()
  }

  /** Returns what is wrong with it. */
  settled(name: string | undefined, outcome: string): string | undefined {
    if (name === undefined) return undefined
    this.runs(name)
    this.settledAs.set(name, outcome)
    if (!this.#expected)
      return LOST.test(outcome) ? `${name} ends as "${outcome}", although nothing is held` : undefined
    const expected = this.#expected.settledAs.get(name)
    if (expected === outcome) return undefined
    return `${name} ends as "${outcome}", and if nothing is held as "${expected ?? 'nothing'}"`
  }

  /** Those that have begun without an end, or have an end in the other run only. */
  get missing(): string[] {
    const expected = [...this.#begun, ...(this.#expected?.settledAs.keys() ?? [])]
    return [...new Set(expected)].filter(name => !this.settledAs.has(name))
  }
}
