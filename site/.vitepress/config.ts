// The documentation as a site: `index.md` is its first page, `docs/` the others, and the API reference is made at build.
import GithubSlugger from 'github-slugger'
import { copyFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { defineConfig, type HeadConfig } from 'vitepress'
import { root } from '../blocks/markdown.js'
import { configure } from './markdown.js'
import { repository, rewrites, sourceOf } from './places.js'
import { miniSearch } from './search.js'
import { guides, sidebar } from './sidebar.js'

/** Pages lie outside of this workspace, so on the server they can't find Vue by themselves. */
const vueOfThisWorkspace = {
  name: 'vue-of-this-workspace',
  enforce: 'pre',
  resolveId: (id: string, _importer: string | undefined, { ssr }: { ssr?: boolean | undefined }) =>
    ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined,
} as const

/** VitePress names dependencies of its own, which lie outside of this workspace too: Vite finds them only once a page imports them. */
const dependenciesOfPages = {
  name: 'dependencies-of-pages',
  enforce: 'post',
  config: ({ optimizeDeps }: { optimizeDeps?: { include?: string[] } }) => {
    if (optimizeDeps?.include)
      optimizeDeps.include = optimizeDeps.include.filter(name => !name.startsWith('vitepress > '))
  },
} as const

const toPath = (page: string): string => page.replace(/(^|\/)index\.md$|\.md$/, '$1')

const description =
  'Run plugins, user scripts and AI-agent tools in your Node.js app, and decide which functions they can call'

/** A gate in a wall. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#3451b2"/>
<path d="M9 26V15a7 7 0 0 1 14 0v11h-4V15a3 3 0 0 0-6 0v11z" fill="#fff"/></svg>`

/** Where the site is served, if it is known. Pictures of previews need a whole address. */
const { SITE_URL } = process.env
const PREVIEW = 'inspector-light.png'

export default defineConfig({
  title: 'Sallyport',
  description,
  lang: 'en',
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }],
    ['meta', { property: 'og:type', content: 'website' }],
    ['meta', { property: 'og:site_name', content: 'Sallyport' }],
    ['meta', { name: 'twitter:card', content: SITE_URL === undefined ? 'summary' : 'summary_large_image' }],
  ],
  transformHead: ({ page, title, description: about }) => [
    ['meta', { property: 'og:title', content: title }],
    ['meta', { property: 'og:description', content: about }],
    ...(SITE_URL === undefined
      ? []
      : ([
          ['meta', { property: 'og:url', content: new URL(toPath(page), SITE_URL).href }],
          ['meta', { property: 'og:image', content: new URL(PREVIEW, SITE_URL).href }],
        ] satisfies HeadConfig[])),
  ],
  buildEnd({ outDir }) {
    copyFileSync(join(root, 'docs/assets', PREVIEW), join(outDir, PREVIEW))
    console.log(`The site is in ${outDir}`)
  },
  srcDir: root,
  srcExclude: [
    'bench-report/**',
    'README.md',
    'docs/README.md',
    'docs/adr/README.md',
    'packages/**',
    'extensions/**',
    'examples/**',
    'templates/**',
    'tests/**',
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
    // Only the picture of the shown theme is loaded.
    image: { lazyLoad: true },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { vector: 'text' },
  },
  // The whole API would be fetched with each page that shows the sidebar.
  router: { prefetchLinks: false },
  // Other pages of HTML in the repository are no entries of the site. The index of the search has 750 kB, and is loaded with the first search.
  vite: {
    plugins: [vueOfThisWorkspace, dependenciesOfPages],
    optimizeDeps: { entries: [] },
    build: { chunkSizeWarningLimit: 1000 },
  },
  themeConfig: {
    sidebar: sidebar(),
    nav: [
      { text: 'Guides', items: guides() },
      { text: 'Options', link: '/reference/options' },
      { text: 'API', link: '/api/core/' },
    ],
    footer: { message: 'MIT License' },
    outline: [2, 3],
    search: { provider: 'local', options: { miniSearch } },
    ...(repository && { socialLinks: [{ icon: 'github', link: repository }] }),
  },
})
