// Stands in for three vendors' APIs, over TLS on this machine. An answer names the key that arrived.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const getAnswer = (url, key) => {
  switch (url) {
    case '/user':
      return { login: key }
    case '/v1/messages':
      return { type: 'message', role: 'assistant', content: [{ type: 'text', text: key }] }
    default:
      return { object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: key } }] }
  }
}

const toChunk = content => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`

export async function startServer({ key, cert }) {
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', chunk => (text += chunk))
    request.on('end', () => answer(request, text, response))
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `localhost:${server.address().port}`,
    close: () => server.close().closeAllConnections(),
  }
}

function answer(request, text, response) {
  const token = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^(?:Bearer|token) /, '')
  if (text !== '' && JSON.parse(text).stream) {
    response.setHeader('content-type', 'text/event-stream')
    response.end([...token.split(/(?=-)/).map(toChunk), 'data: [DONE]\n\n'].join(''))
    return
  }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(getAnswer(request.url, token)))
}
