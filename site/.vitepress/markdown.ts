// What the site adds to VitePress's Markdown: links as they are in the repository, pictures of Mermaid as SVG, drawn at build.
import { renderMermaidSVG } from 'beautiful-mermaid'
import type { MarkdownRenderer } from 'vitepress'
import { resolveLink } from './places.js'
import { labelTables } from './tables.js'

const OPTIONS_PAGE = 'docs/reference/options.md'

interface Env {
  /** Of the page, below the repository's root; under its address where it is another. */
  path: string
}

export function configure(md: MarkdownRenderer, pageOf: (path: string) => string): void {
  const fence = md.renderer.rules.fence!
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!
    if (info.trim() !== 'mermaid') return fence(tokens, index, options, env, self)
    // Vue would take braces for its own.
    return `<div class="diagram" tabindex="0" v-pre>${drawn(content, index)}</div>`
  }
  md.core.ruler.push('repository-links', state => {
    const page = pageOf((state.env as Env).path)
    for (const { children } of state.tokens)
      for (const token of children ?? [])
        if (token.type === 'link_open') {
          const address = resolveLink(page, token.attrGet('href') ?? '')
          if (address === undefined) token.attrs = []
          else token.attrSet('href', address)
        }
  })
  md.core.ruler.push('tables', state => labelTables(state, pageOf((state.env as Env).path) === OPTIONS_PAGE))
}

/** Without its style, which asks for a font on the network, and which Vue drops where it takes the page over: style.css has it. */
function drawn(content: string, index: number): string {
  const svg = renderMermaidSVG(content, { transparent: true })
  const unstyled = svg.replace(/<style>[^]*?<\/style>/, '').replace(/ style="--bg:[^"]*"/, '')
  // A page may have several pictures, each with the same ids.
  return unstyled.replaceAll(/\bid="|url\(#/g, start => `${start}picture-${index}-`)
}
