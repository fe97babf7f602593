// The other end of `measureFresh`. It imports nothing, so that the process loads only what it measures.

export type Reply<Result> = { result: Result } | { error: string }

/** Measures the job of the command line, and posts the result. The process exits with its parent. */
export async function answerParent<Job, Result>(measure: (job: Job) => Promise<Result>): Promise<void> {
  process.once('disconnect', () => process.exit())
  const reply = await measure(JSON.parse(process.argv[2]!) as Job).then(
    (result): Reply<Result> => ({ result }),
    (error: unknown): Reply<Result> => ({ error: error instanceof Error ? error.message : String(error) }),
  )
  process.send!(reply)
}
