// The code of each frontend, in every sandbox: it answers, calls, streams, fills and ends on request. Sandboxes for text get it as text, so that it
// needs nothing from outside.

/** @param sallyport - what `@sallyport/frontend` exports, or a client */
export function live(sallyport, opening) {
  const birth = Math.random()
  const ran = token => void sallyport.emit('ran', { token }).catch(() => {})
  const never = () => new Promise(() => {})
  const answer = (token, size) => {
    ran(token)
    return { token, opening, birth, text: 'x'.repeat(size) }
  }
  const kept = []
  function deeper() {
    deeper()
    deeper()
  }
  const ends = {
    throw: text =>
      setTimeout(() => {
        throw new Error(text)
      }),
    reject: text => void Promise.reject(new Error(text)),
    overflow: () => setTimeout(deeper),
    exit: () => process.exit(3),
    finish: () => process.exit(0),
    abort: () => process.abort(),
    memory: () =>
      setTimeout(() => {
        for (;;) kept.push(Array(1e4).fill({}))
      }),
    loop: () => {
      for (;;);
    },
  }
  sallyport.expose({
    echo: ({ token, size }) => answer(token, size),
    hold: ({ token }) => {
      ran(token)
      return never()
    },
    relay: async ({ token, inner, command, size }) => ({
      ...answer(token, 0),
      inner: await sallyport.invoke(command, { token: inner, size }),
    }),
    ask: async ({ token, inner, label, size }) => ({
      ...answer(token, 0),
      inner: await sallyport.invoke('ask', { label, name: 'echo', args: { token: inner, size } }),
    }),
    stream: async function* ({ token, count, size }) {
      ran(token)
      for (let n = 0; n < count; n++) yield { n, text: 'x'.repeat(size) }
    },
    read: async ({ token, inner, count, size }) => {
      let read = 0
      for await (const { n, text } of sallyport.stream('stream', { token: inner, count, size }))
        if (n !== read++ || text.length !== size) throw new Error('a value is wrong')
      return { ...answer(token, 0), inner: { token: inner, read } }
    },
    fill: ({ token, count, size, ms }) => {
      for (let n = 0; n < count; n++) sallyport.emit('noise', { n, text: 'x'.repeat(size) }).catch(() => {})
      for (const until = Date.now() + ms; Date.now() < until;);
      return answer(token, size)
    },
    pid: () => process.pid,
    end: ({ how, text }) => {
      ends[how](text)
      return never()
    },
  })
  sallyport.listen('noise', () => {}).catch(() => {})
}
