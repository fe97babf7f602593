// Sockets in virtual time, under the real links of processes. What one end has written stays in a buffer of the kernel, of which the other reads parts of
// any size. An end belongs to a place: if that dies, what it has written can still be read, and what it has not read is lost.
import { Duplex } from 'node:stream'
import { BOUNDS } from '../bounds.js'
import { Place } from './place.js'
import type { Simulation } from '../simulation.js'

interface ReadOptions {
  onread?: { buffer: Buffer; callback(count: number): boolean }
}

/** One end of a connection: what the kernel has of it. */
export class SocketEnd {
  peer!: SocketEnd
  place: Place
  /** Shared by both ends. */
  fate = { isOver: false }
  /** Called when there is more to read, or the end. */
  onReadable = (): void => {}
  /** Called when there is room to write. */
  onRoom = (): void => {}
  /** The process whose end it was has exited. */
  isInherited = false
  readonly #capacity: number
  #unread: Buffer[] = []
  #bytes = 0
  /** The peer sends nothing more. */
  #isShut = false
  /** This end is closed. */
  #isOver = false

  constructor(place: Place, capacity: number) {
    this.place = place
    this.#capacity = capacity
    place.ports.add(this)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get unread(): number {
    return this.#bytes
  }

  /** Passes this end to a place, as a process inherits a descriptor. */
  moveTo(place: Place): void {
    this.place.ports.delete(this)
    this.place = place
    if (place.dead) this.cut()
    else place.ports.add(this)
  }

  /** Another process has inherited it, and holds it open. */
  passOn(): void {
    this.fate.isOver = this.isInherited = true
    this.moveTo(new Place(`the heir of ${this.place.name}`))
  }

  /** Returns the number of bytes that the peer's buffer takes. */
  write(bytes: Buffer): number {
    const { peer } = this
    if (peer.#isOver || this.#isOver) return bytes.length
    const count = Math.min(bytes.length, peer.#capacity - peer.#bytes)
    if (count <= 0) return 0
    peer.#unread.push(Buffer.from(bytes.subarray(0, count)))
    peer.#bytes += count
    peer.onReadable()
    return count
  }

  /** Copies up to `target.length` bytes. Returns 0 at the end, and `undefined` if nothing has arrived. */
  read(target: Buffer): number | undefined {
    if (this.#bytes === 0) return this.#isShut ? 0 : undefined
    let count = 0
    while (count < target.length && this.#unread.length > 0) {
      const [first] = this.#unread
      const copied = first!.copy(target, count)
      count += copied
      if (copied === first!.length) this.#unread.shift()
      else this.#unread[0] = first!.subarray(copied)
    }
    this.#bytes -= count
    this.peer.onRoom()
    return count
  }

  /** Sends nothing more. */
  shut(): void {
    const { peer } = this
    if (peer.#isShut) return
    peer.#isShut = true
    peer.onReadable()
  }

  /** Closes this end. What it has not read is lost. */
  cut(): void {
    if (this.#isOver) return
    this.#isOver = this.fate.isOver = true
    this.place.ports.delete(this)
    this.#unread = []
    this.#bytes = 0
    this.shut()
    this.peer.onRoom()
  }
}

interface Server {
  readonly place: Place
  accept(end: SocketEnd): void
}

/** The part of `node:net` that the links of processes use. Sockets are created in `place`. */
export class SimulatedNet {
  place: Place = new Place('nowhere')
  readonly Socket: new (options?: ReadOptions) => SimulatedSocket
  readonly #simulation: Simulation
  readonly #servers = new Map<string, Server>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    // oxlint-disable-next-line typescript/no-this-alias
    const net = this
    this.Socket = class extends SimulatedSocket {
      constructor(options: ReadOptions = {}) {
        super(simulation, net.place, options, path => net.connect(path, this.place))
      }
    }
  }

  /** Returns a socket with an end that was connected before. */
  open(end: SocketEnd, options: ReadOptions = {}): SimulatedSocket {
    const socket = new SimulatedSocket(this.#simulation, end.place, options)
    socket.attach(end)
    return socket
  }

  createServer = () => {
    const { place } = this
    const listeners = new Map<string, (value: never) => void>()
    let path = ''
    const server = {
      once: (event: string, listener: (value: never) => void) => server.on(event, listener),
      on: (event: string, listener: (value: never) => void) => {
        listeners.set(event, listener)
        return server
      },
      listen: (at: string, onListening: () => void) => {
        path = at
        this.#servers.set(path, {
          place,
          accept: end => listeners.get('connection')?.(this.open(end) as never),
        })
        this.#later(place, onListening)
      },
      close: () => void this.#servers.delete(path),
    }
    return server
  }

  /** Resolves with `undefined` if nobody listens. */
  connect(path: string, place: Place): Promise<SocketEnd | undefined> {
    return new Promise(resolve => {
      this.#later(place, () => {
        const server = this.#servers.get(path)
        if (!server || server.place.dead) return resolve(undefined)
        const { random } = this.#simulation
        // The largest value of a seed crosses in time.
        const capacity = Math.max(16, BOUNDS.ring >> 8) + random.below(random.chance(0.5) ? 500 : 20_000)
        const [near, far] = [new SocketEnd(place, capacity), new SocketEnd(server.place, capacity)]
        near.peer = far
        far.peer = near
        far.fate = near.fate
        resolve(near)
        this.#later(server.place, () => server.accept(far))
      })
    })
  }

  #later(place: Place, run: () => void): void {
    const { clock, random } = this.#simulation
    clock.after(random.next() * 2, () => {
      if (place.dead) return
      clock.place = place
      run()
    })
  }
}

export class SimulatedSocket extends Duplex {
  readonly place: Place
  connecting = false
  bytesRead = 0
  readonly #simulation: Simulation
  readonly #options: ReadOptions
  readonly #connect: ((path: string) => Promise<SocketEnd | undefined>) | undefined
  #end: SocketEnd | undefined
  /** A write that waits for the connection, or for room. */
  #waiting: (() => void) | undefined
  #isReading = false
  #isScheduled = false

  constructor(
    simulation: Simulation,
    place: Place,
    options: ReadOptions,
    connect?: (path: string) => Promise<SocketEnd | undefined>,
  ) {
    super({ autoDestroy: true, emitClose: true, allowHalfOpen: true })
    this.place = place
    this.#simulation = simulation
    this.#options = options
    this.#connect = connect
    this.on('error', () => {})
  }

  get pending(): boolean {
    return !this.#end
  }

  setTimeout(): this {
    return this
  }

  attach(end: SocketEnd): void {
    this.#end = end
    end.onReadable = () => this.#schedule()
    end.onRoom = () => this.#later(() => this.#waiting?.())
    this.#schedule()
  }

  /** Takes the end from this socket, which is then as if closed: as a process inherits it. */
  detach(): SocketEnd {
    const end = this.#end!
    this.#end = undefined
    end.onReadable = end.onRoom = () => {}
    return end
  }

  connect({ path }: { path: string }): void {
    this.connecting = true
    void this.#connect!(path).then(end => {
      this.connecting = false
      if (!end) return void this.destroy(new Error('connect ECONNREFUSED'))
      if (this.destroyed || this.place.dead) return end.cut()
      this.attach(end)
      this.emit('connect')
      this.#waiting?.()
    })
  }

  override resume(): this {
    this.#isReading = true
    this.#schedule()
    return this
  }

  override pause(): this {
    this.#isReading = false
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    let rest = chunk
    const write = (): void => {
      if (!this.#end || this.place.dead) return
      rest = rest.subarray(this.#end.write(rest))
      if (rest.length > 0) return
      this.#waiting = undefined
      done()
    }
    this.#waiting = write
    write()
  }

  override _final(done: () => void): void {
    this.#end?.shut()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const isLost = this.#end?.peer.isInherited && this.#end.unread > 0 && !this.writableEnded && !this.place.dead
    if (isLost) this.#simulation.fault(`${this.place.name} drops what a process had sent`)
    this.#end?.cut()
    done(error)
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isReading || !this.#end) return
    this.#isScheduled = true
    const reads = (at: number): void => this.place.reads(at)
    this.#later(() => {
      this.#isScheduled = false
      this.#takeSome()
    }, reads)
  }

  /** Reads what the event loop would read at once, or a part of it. */
  #takeSome(): void {
    const { onread } = this.#options
    if (!this.#isReading || !this.#end || this.destroyed || !onread) return
    const { random } = this.#simulation
    const most = random.chance(0.3) ? 1 + random.below(20) : onread.buffer.length
    const count = this.#end.read(onread.buffer.subarray(0, most))
    if (count === undefined) return
    this.bytesRead += count
    if (count === 0) {
      this.#isReading = false
      this.#simulation.trace(() => `${this.place.name}: the socket from ${this.#end?.peer.place.name} has ended`)
      return void this.emit('end')
    }
    this.#simulation.trace(() => `${this.#end?.peer.place.name} → ${this.place.name}: ${count} bytes`)
    // With `onread`, false stops reading.
    if (onread.callback(count)) this.#schedule()
    else this.#isReading = false
  }

  #later(run: () => void, runs = (_at: number): void => {}): void {
    const { clock, random } = this.#simulation
    const at = Math.max(this.place.stalledUntil, clock.now + (random.chance(0.1) ? random.below(40) : random.next()))
    runs(at)
    this.#at(at, run)
  }

  /** Once a place goes on, its event loop takes all that has become ready, in any order, before it goes round. */
  #at(time: number, run: () => void, phase?: number): void {
    const { clock, random } = this.#simulation
    const take = (): void => {
      const { dead, stalledUntil } = this.place
      if (dead) return
      if (stalledUntil > clock.now) return this.#at(stalledUntil, run, 1 + random.next() * 0.9)
      clock.place = this.place
      run()
    }
    clock.at(time, take, undefined, undefined, phase)
  }
}
