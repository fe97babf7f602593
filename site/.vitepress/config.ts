// The documentation as a site: `index.md` is its first page, `docs/` the others, and the API reference is made at build.
import GithubSlugger from 'github-slugger'
import { relative } from 'node:path'
import { defineConfig } from 'vitepress'
import { root } from '../blocks/markdown.js'
import { configure } from './markdown.js'
import { repository, rewrites, sourceOf } from './places.js'
import { miniSearch } from './search.js'
import { sidebar } from './sidebar.js'

/** Pages lie outside of this workspace, so on the server they can't find Vue by themselves. */
const vueOfThisWorkspace = {
  name: 'vue-of-this-workspace',
  enforce: 'pre',
  resolveId: (id: string, _importer: string | undefined, { ssr }: { ssr?: boolean | undefined }) =>
    ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined,
} as const

export default defineConfig({
  title: 'Sallyport',
  description:
    'Run plugins, user scripts and AI-agent tools in your Node.js app, and decide which functions they can call',
  lang: 'en',
  // None: a browser would ask for /favicon.ico.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: root,
  srcExclude: [
    'bench-report/**',
    'README.md',
    'packages/**',
    'examples/**',
    'templates/**',
    'node_modules/**',
    'site/node_modules/**',
  ],
  outDir: './dist',
  cacheDir: './.vitepress/cache',
  rewrites,
  cleanUrls: true,
  lastUpdated: false,
  markdown: {
    // Links that work on GitHub work here.
    anchor: { slugify: text => new GithubSlugger().slug(text) },
    config: md => configure(md, path => sourceOf(relative(root, path).replaceAll('\\', '/'))),
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { vector: 'text' },
  },
  vite: { plugins: [vueOfThisWorkspace] },
  themeConfig: {
    sidebar: sidebar(),
    nav: [
      { text: 'Quick start', link: '/guide/quick-start' },
      { text: 'Options', link: '/reference/options' },
      { text: 'API', link: '/api/core' },
    ],
    outline: [2, 3],
    search: { provider: 'local', options: { miniSearch } },
    ...(repository && { socialLinks: [{ icon: 'github', link: repository }] }),
  },
})
