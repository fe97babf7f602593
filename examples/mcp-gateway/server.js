// @ts-check
// The program that an MCP client starts: node server.js <directory of notes> <directory to keep data> [--approve]. Standard output carries
// MCP and nothing else.
import { resolve } from 'node:path'
import { serveMcp } from '@sallyport/mcp'
import { RIGHTS, startGateway } from './gateway.js'

const [, , notes = '', home = '', answer] = process.argv
const bus = await startGateway({
  notes: resolve(notes),
  home: resolve(home),
  approve(text) {
    // A program with a window would ask a person here.
    console.error(`${text}: ${answer === '--approve' ? 'yes' : 'no'}`)
    return answer === '--approve'
  },
})
const info = { name: 'sallyport-gateway', version: '1.0.0' }
const service = await serveMcp(bus, { label: 'agent', allow: RIGHTS, transport: 'stdio', info })
await service.closed // by the client
await bus.close()
