// A plugin that uses the SDKs of vendors as their READMEs show. Each key is a placeholder.
import Anthropic from '@anthropic-ai/sdk'
import { Octokit } from '@octokit/core'
import { expose } from '@sallyport/frontend'
import OpenAI from 'openai'

const { GITHUB_TOKEN, OPENAI_API_KEY, ANTHROPIC_API_KEY } = process.env
const ask = [{ role: 'user', content: 'Hello' }]

expose({
  async octokit({ url }) {
    const octokit = new Octokit({ auth: GITHUB_TOKEN, baseUrl: url })
    const { data } = await octokit.request('GET /user')
    return data.login
  },
  async openai({ url }) {
    const client = new OpenAI({ apiKey: OPENAI_API_KEY, baseURL: url })
    const { choices } = await client.chat.completions.create({ model: 'any', messages: ask })
    return choices[0].message.content
  },
  async openaiStream({ url }) {
    const client = new OpenAI({ apiKey: OPENAI_API_KEY, baseURL: url })
    let text = ''
    for await (const chunk of await client.chat.completions.create({ model: 'any', messages: ask, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    return text
  },
  async anthropic({ url }) {
    const client = new Anthropic({ apiKey: ANTHROPIC_API_KEY, baseURL: url })
    const { content } = await client.messages.create({ model: 'any', max_tokens: 16, messages: ask })
    return content[0].text
  },
  /** The error of a request to a host that is not in the list. */
  async elsewhere({ url }) {
    const client = new OpenAI({ apiKey: OPENAI_API_KEY, baseURL: url, maxRetries: 0 })
    return client.models.list().then(
      () => 'reached',
      error => error.cause?.message ?? error.message,
    )
  },
})
