// The measuring loop of the sandboxes: the same classic script in each of them, with nothing but the client and timers. A SES
// compartment has no clock, so core keeps the time: it notes when each call comes.
const { emit, invoke, listen } = sallyport

const payloads = new Map()

/** Calls for `ms` milliseconds, `inFlight` at any time, and twice at least: core tells the time between two. Every answer is compared. */
async function callFor(ms, inFlight, { command, args, expected }) {
  let over = false
  let calls = 0
  setTimeout(() => (over = true), ms)
  const lane = async () => {
    do {
      const answer = await invoke(command, args)
      calls++
      if (answer !== expected) throw new Error(`'${command}' returned ${answer}; expected ${expected}`)
    } while (!over || calls < 2)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

async function measure({ loop, ms, settleMs = 0, inFlight = 1 }, call) {
  if (loop !== 'calls') throw new Error(`This arm has no loop '${loop}'`)
  if (settleMs > 0) await callFor(settleMs, inFlight, call)
  await invoke('clock_start')
  await callFor(ms, inFlight, call)
  return invoke('clock_stop')
}

async function answer({ id, task, payloadId, payload }) {
  try {
    if (payload) payloads.set(payloadId, payload.calls[0])
    return { id, figures: await measure(task, payloads.get(payloadId)) }
  } catch (error) {
    return { id, error: error.message }
  }
}

async function start() {
  await invoke('greet', { name: 'World' })
  await listen('bench-request', async ({ payload }) => {
    // When a run is stopped, the bus may be gone before the answer.
    await emit('bench-reply', await answer(payload)).catch(() => {})
  })
  await emit('bench-ready')
}

await start()
