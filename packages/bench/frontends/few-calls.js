// The first calls of a frontend, and calls with pauses: the same classic script in each sandbox. A SES compartment has no clock, so core
// notes when calls arrive.
const { emit, expose, getData, invoke } = sallyport
const { call, marks, leadMs } = getData()

const now = typeof process === 'undefined' ? undefined : () => Number(process.hrtime.bigint()) / 1e3
const delay = ms => new Promise(resolve => setTimeout(resolve, ms))

async function callOnce() {
  const answer = await invoke(call.command, call.args)
  if (answer !== call.expected) throw new Error(`'${call.command}' returned ${answer}; expected ${call.expected}`)
}

/** Returns the times of the answers in `marks`. Core knows a time when the next call arrives. */
async function makeFirstCalls() {
  const times = []
  for (let count = 1; count <= marks.at(-1); count++) {
    await callOnce()
    if (count === marks[times.length]) times.push(now?.())
  }
  if (now) return times
  await callOnce()
  return invoke('clock_stop', { marks })
}

async function callEach(pauseMs, count) {
  const times = []
  await delay(leadMs)
  for (let made = 0; made < count; made++) {
    await delay(pauseMs)
    const start = now?.()
    await callOnce()
    if (now) times.push(now() - start)
  }
  return now ? times : null
}

async function start() {
  const times = await makeFirstCalls()
  let made
  expose({
    start_calls: ({ pauseMs, count }) => {
      made = callEach(pauseMs, count)
      made.catch(() => {})
    },
    get_times: () => made,
  })
  await emit('few-calls', times)
}

await start()
