// The program of every measured plugin: a classic script, to which each host gives `invoke` and `expose`. The host notes when calls
// arrive.
const { expose, invoke } = sallyport

const IN_FLIGHT = 64
const MEBIBYTE = 2 ** 20

async function callOnce() {
  const answer = await invoke('greet', { name: 'World', n: 1, tags: ['red', 'green', 'blue'] })
  if (answer !== 'Hello, World!') throw new Error(`'greet' returned ${answer}`)
}

async function callEach({ count }) {
  for (let made = 0; made < count; made++) await callOnce()
}

async function sendBytes({ count }) {
  const bytes = new Uint8Array(MEBIBYTE).fill(7)
  for (let sent = 0; sent < count; sent++) {
    const answer = new Uint8Array(await invoke('echo_bytes', bytes))
    if (answer.length !== MEBIBYTE || answer.at(-1) !== 7) throw new Error("'echo_bytes' returned other bytes")
  }
}

/** Takes more than a minute. A process whose host was killed ends after it. */
const ENDLESS = 1e11

async function spin() {
  await callOnce()
  for (let turns = 0; turns < ENDLESS; turns++);
}

expose({
  greet: async ({ name }) => `Hello, ${name}!`,
  call_each: callEach,
  call_many: ({ count }) => Promise.all(Array.from({ length: IN_FLIGHT }, () => callEach({ count }))).then(() => null),
  send_bytes: sendBytes,
  spin,
})
void callOnce()
