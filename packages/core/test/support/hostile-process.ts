// What a process can do that has taken over its runtime: a program in place of Node with the frontend, which writes to its streams whatever it likes.
import { getMemberStreams, PROCESS_GREETING, PROCESS_STREAMS } from '@sallyport/protocol/internal/contract'
import { fileURLToPath } from 'node:url'

/** @param member - the number of the code in its process. @returns code before a program that uses `control`, `core`, `frame`, `member` and `report` */
export function getPrelude(member = 0): string {
  const { control, link } = getMemberStreams(member)
  return `
    const { Socket } = require('node:net')
    const { StreamMultiplexer } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('@sallyport/protocol/internal/link')))})
    const [input, output] = [0, 1].map(fd => new Socket({ fd, readable: fd === 0, writable: fd === 1 }))
    output.write(${JSON.stringify(PROCESS_GREETING)})
    const streams = new StreamMultiplexer(input, output, { closed() {} })
    const [control, core, stdout] = [${control}, ${link}, ${PROCESS_STREAMS.stdout}].map(id => streams.open(id).on('error', () => {}))
    const frame = (kind, text, length = text.length) => {
      const head = Buffer.alloc(5)
      head.writeUInt32LE(length)
      head[4] = kind
      return Buffer.concat([head, Buffer.from(text)])
    }
    const member = report => control.write(frame(1, JSON.stringify(report)))
    const report = message => member({ type: 'message', message })
  `
}
