import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getMemberStreams } from '@sallyport/protocol/internal/contract'
import { StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { RelayedCode } from './relayed-code.js'

class Code extends RelayedCode {
  protected report(): void {}
  protected take(): void {}
  protected controlClosed(): void {}
  protected kill(): void {}
  createTime(): () => undefined {
    return () => undefined
  }
  override pipe(to: Socket, from: Socket): void {
    super.pipe(to, from)
  }
  override getForwarded(): Promise<unknown> {
    return super.getForwarded()
  }
}

/** The relay's end, and that of core or the gate. */
async function createPair(): Promise<[relay: Socket, owner: Socket]> {
  const path = join(tmpdir(), Math.random().toString(36).slice(2))
  const server = createServer({ pauseOnConnect: true }).listen(path)
  await once(server, 'listening')
  const owner = connect({ path, allowHalfOpen: true })
  const [relay] = (await once(server, 'connection')) as [Socket]
  server.close()
  rmSync(path, { force: true })
  return [relay, owner]
}

test('a process that ends while core still writes to it has ended once core has read its frames', () =>
  rows([
    ['to one socket', false],
    ['to one of two', true],
  ])(async (_where, isSplit) => {
    const [down, up] = [new PassThrough(), new PassThrough()]
    const code = new Code(new StreamMultiplexer(up, down, { closed() {} }), 0)
    const process = new StreamMultiplexer(down, up, { closed() {} })
    const [to, reader] = await createPair()
    const [from, writer] = isSplit ? await createPair() : [to, reader]
    code.pipe(to, from)
    process.open(getMemberStreams(0).link).write('its last frame')
    process.flush()
    up.end()
    // All that it has sent has arrived, so its stream has ended.
    expect(await text(reader)).toBe('its last frame')
    for (const owner of new Set([writer, reader])) owner.end('a frame for it')
    expect(await code.getForwarded()).toBeUndefined()
    for (const socket of [to, from, reader, writer]) socket.destroy()
  }))

test('the frames of a process end with each socket that they pass', async () => {
  const sockets: Socket[] = []
  const lose = async (isSplit: boolean, side: 'to' | 'from'): Promise<Duplex> => {
    const [down, up] = [new PassThrough(), new PassThrough()]
    const code = new Code(new StreamMultiplexer(up, down, { closed() {} }), 0)
    const frames = new StreamMultiplexer(down, up, { closed() {} }).open(getMemberStreams(0).link)
    const [to, reader] = await createPair()
    const [from, writer] = isSplit ? await createPair() : [to, reader]
    code.pipe(to, from)
    const lost = { to, from }[side]
    lost.destroy(new Error('lost'))
    sockets.push(to, from, reader, writer)
    return frames.resume()
  }
  const all = await Promise.all([lose(false, 'to'), lose(true, 'to'), lose(true, 'from')])
  await expect.poll(() => all.map(({ readableEnded }) => readableEnded)).toEqual([true, true, true])
  for (const socket of sockets) socket.destroy()
})
