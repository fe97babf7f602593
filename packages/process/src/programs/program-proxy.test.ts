import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { serveProxy } from './program-proxy.js'

test('a program that ends before its proxy is loaded is told of', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  const serving = serveProxy(child, { hosts: [], secrets: [], onDenied: undefined })
  child.emit('exit', 1, null)
  await expect(serving).rejects.toThrow('the proxy did not start: its process has ended')
})
