// What is drawn on: the width and the colours of a terminal, and how each outcome looks.
import type { Colors } from 'picocolors/types.js'

export type Screen = { columns: number; colors: Colors }

/** How a cell is emphasized: the name of its colour on a terminal, and of its class in the page. */
export const TONES = { better: 'green', worse: 'yellow', failed: 'red', missing: 'dim' } as const
export type Tone = keyof typeof TONES

/** `regression` belongs to a comparison. */
export type Outcome = 'fine' | 'failed' | 'regression' | 'too noisy'

export const OUTCOMES: Record<Outcome, { sign: string; emoji: string; tone: Tone; exitCode: number }> = {
  fine: { sign: '✓', emoji: '🟢', tone: 'better', exitCode: 0 },
  failed: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  regression: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  'too noisy': { sign: '≈', emoji: '⚪', tone: 'worse', exitCode: 3 },
}
