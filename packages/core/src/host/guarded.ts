// Calls what the host has given the bus to tell it things. What it throws is the host's, a moment later: the bus, which stands in
// the midst of something, goes on.
export function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
