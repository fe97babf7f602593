// What the host with a server is asked for, and what it answers to all else.
export const HTTP_PATH = { start: '/start/', stop: '/stop', ping: '/ping' } as const

export const HTTP_ANSWER: Readonly<Record<string, string>> = { status: 'well' }
