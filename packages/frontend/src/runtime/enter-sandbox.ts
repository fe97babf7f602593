// Completes the sandbox of a frontend, which Node's permission model has begun, before the frontend's code is loaded.
import type { FrontendPreparation, FrontendSandbox, ScriptRunner } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { harden } from './harden.js'
import { hardenOnDeno, IS_DENO } from './deno.js'
import { setSandboxKind, watchAddons } from './sandbox-denial.js'
import type { loadTextModule } from './text-module.js'

interface EnteredSandbox {
  /** A directory that the thread can read, although that was not granted. */
  readableDirectory: string | undefined
  loadText: typeof loadTextModule | undefined
  runner: ScriptRunner | undefined
}

let entered: Promise<EnteredSandbox> | undefined

/** Enters the sandbox of this thread, once. Rejects if it must not start in it. */
export const enterSandboxOnce = (preparation: FrontendPreparation): Promise<EnteredSandbox> =>
  (entered ??= enterAndLoad(preparation))

async function enterAndLoad({
  sandbox,
  hasText,
  runner: href,
  engineModule,
}: FrontendPreparation): Promise<EnteredSandbox> {
  setSandboxKind(isMainThread ? 'process' : 'permission', sandbox)
  watchAddons()
  // It removes classes of Node, so it comes before the sandbox and the frontend's code.
  const loadText = hasText ? (await import('./text-module.js')).loadTextModule : undefined
  const readableDirectory = await enterSandbox(sandbox)
  const loaded = href === undefined ? undefined : await import(/* webpackIgnore: true */ /* @vite-ignore */ href)
  const runner: ScriptRunner | undefined = loaded
  await runner?.prepare?.(engineModule)
  return { readableDirectory, loadText, runner }
}

/**
 * Hardens this thread. Returns the directory that it can read although that was not granted: since version 22, Node lets workers
 * read everything below the working directory by default.
 */
export async function enterSandbox({ unexpectedRead, closesNet }: FrontendSandbox): Promise<string | undefined> {
  // It has permissions of its own from its start.
  if (IS_DENO) {
    hardenOnDeno()
    return undefined
  }
  const { permission }: { permission?: { has(scope: string, reference: string): boolean } } = process
  if (!permission) throw new BusError('InternalError', "This worker does not run under Node's permission model")
  // A file is checked, because the answer for the directory itself is wrong: Node 22 denies it, Node 20 allows it.
  const readableDirectory =
    unexpectedRead !== undefined && permission.has('fs.read', join(unexpectedRead, 'any')) ? unexpectedRead : undefined
  // The C library asks for interfaces by a socket, which a wall denies.
  if (closesNet) process.getBuiltinModule('node:os').networkInterfaces = () => ({})
  await harden()
  return readableDirectory
}
