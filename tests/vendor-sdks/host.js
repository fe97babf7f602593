// A host that runs a plugin with the SDKs of vendors. The plugin reaches the listed host alone, and never has a key.
// Usage: NODE_EXTRA_CA_CERTS=cert.pem node host.js key.pem cert.pem
import { createBus } from '@sallyport/core'
import { startServer } from './server.js'

const [key, cert] = process.argv.slice(2)
const server = await startServer({ key, cert })
const other = await startServer({ key, cert })
const bus = await createBus({ core: { commands: {} }, log: false })
const denial = new Promise(resolve => bus.on('denied', ({ command, hint }) => resolve({ command, hint })))
try {
  const hosts = [server.host]
  await bus.open('assistant', new URL('plugin.js', import.meta.url), {
    sandbox: {
      ...{ kind: 'process', wall: 'required', net: hosts },
      secrets: {
        GITHUB_TOKEN: { value: 'key-of-github', hosts },
        OPENAI_API_KEY: { value: 'key-of-openai', hosts },
        ANTHROPIC_API_KEY: { value: 'key-of-anthropic', hosts },
      },
    },
  })
  const results = {}
  for (const name of ['octokit', 'openai', 'openaiStream', 'anthropic']) {
    const path = name.startsWith('openai') ? '/v1' : ''
    results[name] = await bus.call('assistant', name, { url: `https://${server.host}${path}` })
  }
  results.elsewhere = await bus.call('assistant', 'elsewhere', { url: `https://${other.host}` })
  // It can come after the answer, which takes another way.
  console.log(JSON.stringify({ results, denied: await denial, other: other.host }))
} finally {
  await bus.close()
  server.close()
  other.close()
}
