// What the page is made of, by the paths that it is asked for.
import { drawDiagrams } from './diagrams.js'
import { pageOf } from './html.js'
import type { BusView } from './view.js'

export interface PageFile {
  type: string
  text: string
}

/** @param token which each of the page's own requests carries too */
export async function loadFiles(token: string, machines: BusView['machines']): Promise<Map<string, PageFile>> {
  const { style, script } = await import('#inspector-files')
  return new Map<string, PageFile>([
    ['/', { type: 'text/html; charset=utf-8', text: pageOf(token, drawDiagrams(machines)) }],
    ['/inspector.css', { type: 'text/css; charset=utf-8', text: style }],
    ['/inspector.js', { type: 'text/javascript; charset=utf-8', text: script }],
  ])
}
