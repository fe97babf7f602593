// The socket between a process and a thread: the relay listens, the thread connects, and no other code of the user can take either end.
import { renameSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { recorder } from '../../test/link-behaviour.js'
import { acceptDirect, canListenBelow, closeDirectSocket, connectDirect, openDirectLink } from './direct-socket.js'
import { StreamLink } from './stream-link.js'

const temporary = mkdtempSync(join(tmpdir(), 'direct-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let lastId = 0

/**
 * Returns the sockets of the relay, and the number of the thread's end.
 *
 * @param attack - called when the relay listens, before the thread connects
 */
function begin(attack: (path: string) => Promise<void> | void = () => {}) {
  const [toThread, toRelay] = [new MessageChannel(), new MessageChannel()]
  const end = { kind: 'direct', id: ++lastId } as const
  connectDirect({ id: end.id, port: toThread.port1 })
  const forward = async (invitation: { path: string }): Promise<void> => {
    await attack(invitation.path)
    toThread.port2.postMessage(invitation)
  }
  toRelay.port2.on('message', (invitation: { path: string }) => void forward(invitation))
  toThread.port2.on('message', answer => toRelay.port2.postMessage(answer))
  toThread.port2.once('close', () => toRelay.port2.close())
  toRelay.port2.once('close', () => toThread.port2.close())
  const accepted = acceptDirect([toRelay.port1], temporary)
  accepted.catch(() => {})
  return { end, accepted, port: toRelay.port1, closed: once(toRelay.port1, 'close') }
}

const refused = { reason: 'InvalidRequest', message: expect.stringMatching(/^The frontend process was not started/) }

describe.skipIf(process.platform === 'win32')('the socket of a process', () => {
  it('is in a directory whose path is short', () =>
    rows([
      ['x'.repeat(80), true],
      ['x'.repeat(81), false],
      ['é'.repeat(41), false],
    ])((directory, can) => expect(canListenBelow(directory)).toBe(can)))

  it('carries frames both ways, also those that were sent before', async () => {
    const { end, accepted, closed } = begin()
    const link = openDirectLink(end)
    const [seen, far] = [recorder(), recorder()]
    link.receive(seen)
    link.send({ kind: 1, body: '[1]' })
    const [socket] = await accepted
    // Only the process reads it.
    expect(socket!.readableFlowing).toBe(false)
    const peer = new StreamLink(socket!)
    peer.receive(far)
    peer.send({ kind: 1, body: '[2]' })
    await expect.poll(() => [seen.log, far.log]).toEqual([['1:[2]'], ['1:[1]']])
    expect(readdirSync(temporary)).toEqual([])
    peer.close()
    await expect.poll(() => [seen.log.at(-1), far.log.at(-1)]).toEqual(['closed', 'closed'])
    await closed
  })

  it('is read to its end although the thread has ended meanwhile', async () => {
    const { end, accepted, port, closed } = begin()
    const link = openDirectLink(end)
    link.receive(recorder())
    link.send({ kind: 1, body: '[1]' })
    const [socket] = await accepted
    port.close()
    await closed
    const far = recorder()
    new StreamLink(socket!).receive(far)
    await expect.poll(() => far.log).toEqual(['1:[1]', 'closed'])
  })

  it('is kept until it is opened, with what has arrived', async () => {
    const { end, accepted } = begin()
    const [socket] = await accepted
    const peer = new StreamLink(socket!)
    for (let i = 0; i < 300; i++) peer.send({ kind: 1, body: `[${i}]` })
    peer.close()
    await once(socket!, 'finish')
    const seen = recorder()
    openDirectLink(end).receive(seen)
    await expect.poll(() => seen.log.length).toBe(301)
    expect(seen.log.slice(-2)).toEqual(['1:[299]', 'closed'])
    // It can be opened once.
    const again = recorder()
    openDirectLink(end).receive(again)
    await expect.poll(() => again.log).toEqual(['closed'])
  })

  it('does not become that of a process that connects first', async () => {
    let stolen!: Socket
    let received = ''
    const { end, accepted, closed } = begin(async path => {
      stolen = connect({ path })
      stolen.on('error', () => {}).on('data', chunk => (received += chunk.toString('latin1')))
      await once(stolen, 'connect')
    })
    const seen = recorder()
    const link = openDirectLink(end)
    link.receive(seen)
    link.send({ kind: 1, body: '["secret"]' })
    await expect(accepted).rejects.toMatchObject(refused)
    await closed
    await expect.poll(() => stolen.destroyed).toBe(true)
    expect(received).not.toContain('secret')
    expect(seen.log).toEqual(['closed'])
    expect(readdirSync(temporary)).toEqual([])
  })

  it('does not become that of a process that listens in its place', () =>
    rows([Buffer.from([2, 0, 0, 0, 1, 91, 93]), Buffer.alloc(16), 'an end', 'nothing'])(async sent => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const seen = recorder()
      const pass = (): void => {
        if (seen.log.length > 0) return
        vi.advanceTimersByTime(10_000)
        setImmediate(pass)
      }
      let received = ''
      const server = createServer(socket => {
        socket.on('error', () => {}).on('data', chunk => (received += chunk.toString('latin1')))
        if (typeof sent !== 'string') socket.write(sent)
        else if (sent === 'an end') socket.end()
        else setImmediate(pass)
      })
      const { end, accepted } = begin(async path => {
        renameSync(path, `${path}-moved`)
        await once(server.listen(path), 'listening')
      })
      const link = openDirectLink(end)
      link.receive(seen)
      link.send({ kind: 1, body: '["secret"]' })
      await expect(accepted).rejects.toMatchObject(refused)
      await expect.poll(() => seen.log).toEqual(['closed'])
      expect(received).toBe('')
      vi.useRealTimers()
      await new Promise(resolve => server.close(resolve))
      expect(readdirSync(temporary)).toEqual([])
    }))

  it('names descriptors if nobody reached the relay, although some are left by then', async () => {
    const { port1, port2 } = new MessageChannel()
    // What the thread sends if its connection was closed.
    port2.on('message', () => port2.postMessage(''))
    await expect(acceptDirect([port1], temporary)).rejects.toMatchObject({ code: 'EMFILE' })
    expect(readdirSync(temporary)).toEqual([])
    port2.close()
  })

  it('names descriptors if the thread has none, also if somebody else has the path', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
      return this.destroy(Object.assign(new Error('connect'), { code: 'EMFILE' }))
    })
    const { accepted } = begin(path => renameSync(path, `${path}-moved`))
    await expect(accepted).rejects.toMatchObject({ code: 'EMFILE' })
    connect.mockRestore()
    expect(readdirSync(temporary)).toEqual([])
  })

  it('ends with a thread that closes its end before it has opened it', async () => {
    const { end, accepted } = begin()
    const [socket] = await accepted
    closeDirectSocket(end)
    await once(socket!.resume(), 'close')
  })

  it('ends with a thread that closes its end before it has connected', async () => {
    const { end, accepted, port } = begin(() => closeDirectSocket(end))
    const failed = accepted.catch((error: unknown) => error)
    port.close()
    expect(await failed).toMatchObject({ reason: 'Disconnected' })
    expect(readdirSync(temporary)).toEqual([])
  })
})
