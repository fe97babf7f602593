export const tries = 'reads a file that the host has open, by its number'
export const decides = 'the secret of the file is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, facts }) => {
  const fs = await load('fs')
  const bytes = new Uint8Array(64)
  let all = ''
  // 0 to 2 are its own.
  for (let descriptor = 3; descriptor < 64; descriptor++) {
    try {
      const length = fs.readSync(descriptor, bytes, 0, 64, 0)
      all += String.fromCharCode(...bytes.subarray(0, length))
    } catch {
      // It is not open, no file, or denied.
    }
  }
  // A handle of a file of its own, with another number.
  const { open } = await load('fs/promises')
  for (let descriptor = 3; descriptor < 64; descriptor++) {
    const handle = await open(`${facts.home}/guest.mjs`).catch(() => undefined)
    if (!handle) break
    const [symbol] = Object.getOwnPropertySymbols(handle).filter(each => handle[each]?.fd >= 0)
    try {
      const { read } = handle[symbol].constructor.prototype
      Object.defineProperty(handle, 'fd', { value: descriptor })
      await (read ?? handle.read).call(handle, bytes, 0, 64, 0)
      all += String.fromCharCode(...bytes)
    } catch {
      // As above.
    }
    await handle.close().catch(() => {})
  }
  return all
}
