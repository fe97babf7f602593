// What runs in a thread of the pool: the default export of a user's module. Its outcome is wrapped, so that whatever it
// throws, `null` too, comes back as thrown.

export interface PoolTask {
  module: string
  args: unknown
}

export type PoolOutcome = { value: unknown } | { thrown: unknown } | { missing: true }

export async function runTask({ module, args }: PoolTask): Promise<PoolOutcome> {
  const { default: run } = (await import(module)) as { default?: unknown }
  if (typeof run !== 'function') return { missing: true }
  try {
    return { value: (await run(args)) as unknown }
  } catch (thrown) {
    return { thrown }
  }
}
