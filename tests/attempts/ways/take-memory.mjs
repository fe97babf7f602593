export const tries = 'takes 400 MiB by arrays and by WebAssembly; a sandbox with a limit of memory has 160 MiB or less'
export const decides = 'it has all of it'
export const reached = ({ answer }) => answer === '400 MiB'

export default async ({ timers }) => {
  const kept = []
  for (let count = 0; count < 50; count++) {
    const isFifth = count % 5 === 4 && globalThis.WebAssembly
    kept.push(new Uint8Array(isFifth ? new WebAssembly.Memory({ initial: 128 }).buffer : 2 ** 23).fill(1))
    // Whoever checks its memory has time to.
    await (timers ? new Promise(resolve => timers.setTimeout(resolve, 20)) : null)
  }
  return `${kept.length * 8} MiB`
}
