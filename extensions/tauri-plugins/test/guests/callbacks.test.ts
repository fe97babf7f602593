// The unmodified guests of the plugins that act by functions of the host.
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bus } from '@sallyport/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { clipboardManager, dialog, notification, opener, process, shell } from '../../src/index.js'
import { askHost, type HostRequest } from '../../src/callbacks/ask.js'
import type { DialogMessage } from '../../src/callbacks/dialog.js'
import type { OpenRequest } from '../../src/callbacks/opener.js'
import { type Allow, environments, startGuests } from './start.js'
import { ODD_ANSWERS } from '../../../../scripts/odd-inputs.js'
import { choose, rows } from '../../../../scripts/testing.js'

const allow: Allow = [
  ...[
    'opener:default',
    'opener:allow-open-path',
    'shell:default',
    'dialog:default',
    'notification:default',
    'process:default',
  ],
  ...['read-text', 'write-text', 'write-html', 'write-image', 'read-image', 'clear'].map(
    name => `clipboard-manager:allow-${name}`,
  ),
]

describe.each(choose(environments))('in a sandbox %s %o', (sandbox, more) => {
  test('each guest reaches the functions of the host', async () => {
    const calls: unknown[][] = []
    const record =
      <T>(name: string, result: T) =>
      (...args: object[]): T => {
        const { label } = args.pop() as { label: string }
        calls.push([name, ...args, label])
        return result
      }
    const plugins = [
      opener({ open: record('open', undefined), reveal: record('reveal', undefined) } as never),
      shell({ open: record('shell', undefined) as never }),
      dialog({
        open: record('pick', '/tmp/a'),
        save: record('save', null),
        message: record('message', 'Yes'),
      } as never),
      notification({ notify: record('notify', undefined) as never }),
      clipboardManager({
        readText: record('readText', 'text'),
        writeText: record('writeText', undefined),
        clear: record('clear', undefined),
        writeHtml: record('writeHtml', undefined),
        writeImage: record('writeImage', undefined),
      } as never),
      process({ exit: record('exit', undefined), restart: record('restart', undefined) } as never),
    ]
    const { bus, call } = await startGuests({ plugins, allow, sandbox, more })
    const answers = []
    for (const [guest, name, ...args] of [
      ...[
        ['opener', 'openUrl', 'https://example.com'],
        ['opener', 'revealItemInDir', '/tmp/a'],
        ['shell', 'open', 'mailto:a@b.c'],
      ],
      ...[
        ['dialog', 'open', { title: 'Pick' }],
        ['dialog', 'open', { multiple: true }],
        ['dialog', 'save', {}],
        ['dialog', 'ask', 'Sure?', { title: 'T', kind: 'warning' }],
      ],
      ...[
        ['notification', 'isPermissionGranted'],
        ['notification', 'requestPermission'],
      ],
      ...[
        ['clipboard', 'readText'],
        ['clipboard', 'writeText', 'a'],
        ['clipboard', 'writeHtml', '<b>', 'b'],
        ['clipboard', 'writeImage', [1, 2]],
        ['clipboard', 'clear'],
      ],
      ...[
        ['process', 'exit', 3],
        ['process', 'relaunch'],
      ],
    ] as [string, string, ...unknown[]][]) {
      answers.push(await call(guest, name, ...args))
    }
    expect(answers.map(({ value, error }) => error ?? value)).toEqual([
      ...[
        null,
        null,
        null,
        '/tmp/a',
        ['/tmp/a'],
        null,
        true,
        true,
        'granted',
        'text',
        null,
        null,
        null,
        null,
        null,
        null,
      ],
    ])
    expect(await bus.call('main', 'notifyByClass', { title: 'Hi', options: { body: 'there' } })).toEqual({
      value: 'Hi',
    })
    const file = { filters: [], defaultPath: undefined }
    expect(calls).toEqual([
      ['open', 'https://example.com/', 'main'],
      ['reveal', ['/tmp/a'], 'main'],
      ['shell', 'mailto:a@b.c', 'main'],
      ['pick', { ...file, title: 'main: Pick', multiple: false, directory: false, recursive: false }, 'main'],
      ['pick', { ...file, title: 'main', multiple: true, directory: false, recursive: false }, 'main'],
      ['save', { ...file, title: 'main' }, 'main'],
      ['message', { title: 'main: T', message: 'main: Sure?', kind: 'warning', buttons: ['Yes', 'No'] }, 'main'],
      ['readText', 'main'],
      ['writeText', 'a', 'main'],
      ['writeHtml', '<b>', 'b', 'main'],
      ['writeImage', new Uint8Array([1, 2]), 'main'],
      ['clear', 'main'],
      ['exit', 3, 'main'],
      ['restart', 'main'],
      ['notify', expect.objectContaining({ title: 'main: Hi', body: 'there' }), 'main'],
    ])
  })

  test('without functions of the host each call is refused', async () => {
    const plugins = [opener(), shell(), dialog(), notification(), clipboardManager(), process()]
    const { call } = await startGuests({ plugins, allow, sandbox, more })
    for (const [guest, name, ...args] of [
      ...[
        ['opener', 'openUrl', 'https://example.com'],
        ['opener', 'openPath', '/tmp'],
        ['opener', 'revealItemInDir', '/tmp'],
      ],
      ...[
        ['shell', 'open', 'https://example.com'],
        ['dialog', 'open'],
        ['dialog', 'save'],
        ['dialog', 'message', 'a'],
        ['dialog', 'ask', 'a'],
      ],
      ...[
        ['dialog', 'confirm', 'a'],
        ['window', 'confirm', 'a'],
        ['notification', 'requestPermission'],
        ['notification', 'isPermissionGranted'],
      ],
      ...[
        ['clipboard', 'readText'],
        ['clipboard', 'writeText', 'a'],
        ['clipboard', 'writeHtml', 'a'],
        ['clipboard', 'clear'],
      ],
      ...[
        ['process', 'exit'],
        ['process', 'relaunch'],
      ],
    ] as [string, string, ...unknown[]][]) {
      const { error } = await call(guest, name, ...args)
      expect([guest, name, error]).toEqual([
        guest,
        name,
        expect.stringMatching(/^Call refused: the host has no function for it\. Pass it to \w+\(\{ \w+ \}\)\.$/),
      ])
    }
    // Nothing catches these in an app.
    expect(await call('window', 'alert', 'a')).toEqual({ value: null })
    expect(await call('notification', 'sendNotification', 'a')).toEqual({ value: null })
    expect((await call('dialog', 'ask', 'a')).error).toMatch(/^Call refused/)
  })
})

describe('a function of the host that never settles', () => {
  async function abort(
    bus: Bus,
    label: string,
    called: Promise<unknown>,
    command: string,
    args: object,
  ): Promise<void> {
    await bus.call(label, 'begin', { command, args })
    await called
    expect(await bus.call(label, 'abort')).toBe('aborted')
  }

  function createNever<Args extends unknown[]>() {
    let onCall!: (args: Args) => void
    const called = new Promise<Args>(resolve => (onCall = resolve))
    const never = (...args: Args): Promise<never> => {
      onCall(args)
      return new Promise(() => {})
    }
    return { called, never }
  }

  test('gets the abort of the call', async () => {
    const { called, never } = createNever<[string, HostRequest]>()
    const { bus } = await startGuests({ plugins: [opener({ open: never })] })
    await abort(bus, 'main', called, 'plugin:opener|open_url', { url: 'https://a.b' })
    const [, { signal }] = await called
    await expect.poll(() => signal.aborted).toBe(true)
  })

  test('is given up after its limit, and gets to know', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { called, never } = createNever<[HostRequest]>()
    const result = askHost('x({ y })', { label: 'main', signal: new AbortController().signal } as never, never, [])
    const ended = result.catch((error: Error) => error.message)
    await vi.runAllTimersAsync()
    expect((await called)[0].signal.aborted).toBe(true)
    expect(await ended).toBe("The host's x({ y }) timed out after 30000 ms.")
  })

  test('keeps the one dialog of the frontend open, although its call was aborted', async () => {
    const { called, never } = createNever()
    const { bus, call, callIn } = await startGuests({
      plugins: [dialog({ message: never })],
      labels: ['main', 'other'],
    })
    await abort(bus, 'main', called, 'plugin:dialog|message', { message: 'a' })
    const refused = { error: 'Dialog refused: another one of this frontend is open. Wait for its answer.' }
    expect(await call('dialog', 'message', 'b')).toEqual(refused)
    void callIn('other', 'dialog', 'message', 'b').catch(() => {})
    expect(await callIn('other', 'dialog', 'message', 'c')).toEqual(refused)
  })
})

describe('opener', () => {
  const open = vi.fn<(url: string, request: OpenRequest) => void>()
  const start = (...entries: Allow) => {
    open.mockClear()
    return startGuests({ plugins: [opener({ open })], allow: entries })
  }

  test('opens only URLs of the four schemes by default, in their normal form', async () => {
    const { call } = await start('opener:default')
    for (const url of [`https://${'a'.repeat(63)}`, 'HTTPS://Example.com.', 'http://a', 'mailto:a@b.c', 'tel:+1']) {
      expect(await call('opener', 'openUrl', url)).toEqual({ value: null })
    }
    expect(open.mock.calls.map(([url]) => url)).toEqual([
      `https://${'a'.repeat(63)}/`,
      'https://example.com/',
      'http://a/',
      'mailto:a@b.c',
      'tel:+1',
    ])
    for (const url of [
      'file:///etc/passwd',
      'javascript:alert(1)',
      'smb://a/b',
      'vscode://x',
      '/etc/passwd',
      '-a',
      '',
      'https://a@b.c',
      ' \0https:',
      `https://${'a'.repeat(64)}`,
      `https://${'例'.repeat(4000)}`,
      `https:\\\\x@${'a.'.repeat(127)}`,
    ]) {
      expect(await call('opener', 'openUrl', url)).toEqual({ error: `Not allowed to open url ${url}` })
    }
    expect(await call('opener', 'openUrl', 'https://a', 'firefox')).toEqual({
      error: 'Not allowed to open url https://a with firefox',
    })
    expect(open).toHaveBeenCalledTimes(5)
  })

  test('an empty scope opens nothing', async () => {
    const { call } = await start('opener:allow-open-url')
    expect(await call('opener', 'openUrl', 'https://a')).toEqual({ error: 'Not allowed to open url https://a' })
  })

  test('a deny wins, whatever the case, a dot after the host, or the program', async () => {
    const { call } = await start('opener:default', {
      permission: 'opener:allow-open-url',
      allow: [{ url: 'https://*', app: true }],
      deny: [{ url: 'https://Evil.com/*' }],
    })
    for (const url of ['https://evil.com/x', 'https://EVIL.com/x', 'https://evil.com./x', 'https://evil.com/x/y?z']) {
      expect((await call('opener', 'openUrl', url)).error).toMatch(/^Not allowed/)
      expect((await call('opener', 'openUrl', url, 'firefox')).error).toMatch(/^Not allowed/)
    }
    expect(await call('opener', 'openUrl', 'https://good.com/x', 'firefox')).toEqual({ value: null })
  })

  test('a deny with a class of characters holds in any case', async () => {
    const { call } = await start({
      permission: 'opener:allow-open-url',
      allow: [{ url: 'https://*' }],
      deny: [{ url: 'https://a/[_-z]*' }, { url: 'https://b/[!A]*' }],
    })
    for (const url of ['https://a/x', 'https://a/X', 'https://b/a']) {
      expect((await call('opener', 'openUrl', url)).error).toMatch(/^Not allowed/)
    }
    expect(await call('opener', 'openUrl', 'https://a/1')).toEqual({ value: null })
  })

  test('a wildcard covers no other scheme, an entry with the scheme does', async () => {
    const { call } = await start({ permission: 'opener:allow-open-url', allow: [{ url: '*' }, { url: 'obsidian:*' }] })
    expect(await call('opener', 'openUrl', 'obsidian://x')).toEqual({ value: null })
    expect((await call('opener', 'openUrl', 'file:///x')).error).toMatch(/^Not allowed/)
  })

  test('the program must be that of the entry', async () => {
    const entries = [
      { url: 'https://a/*', app: 'firefox' },
      { url: 'https://b/*', app: false },
    ]
    const { call } = await start({ permission: 'opener:allow-open-url', allow: entries })
    expect(await call('opener', 'openUrl', 'https://a/', 'firefox')).toEqual({ value: null })
    expect(open.mock.lastCall![1]).toMatchObject({ kind: 'url', with: 'firefox', label: 'main' })
    for (const [url, program] of [['https://a/'], ['https://a/', 'sh'], ['https://b/'], ['https://b/', 'x']]) {
      expect((await call('opener', 'openUrl', url, program)).error).toMatch(/^Not allowed/)
    }
  })

  test('paths are compared in their canonical form', async () => {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'opener-')))
    await writeFile(join(directory, 'a.txt'), '')
    await symlink('/etc/passwd', join(directory, 'link'))
    const { call } = await start({ permission: 'opener:allow-open-path', allow: [{ path: `${directory}/*` }] })
    expect(await call('opener', 'openPath', join(directory, 'a.txt'))).toEqual({ value: null })
    for (const path of [join(directory, 'link'), '/etc/passwd', `${directory}/../x`, directory]) {
      expect(await call('opener', 'openPath', path)).toEqual({ error: `Not allowed to open path ${path}` })
    }
    await rm(directory, { recursive: true })
  })

  test('an entry of another form stops the start', async () => {
    await expect(start({ permission: 'opener:allow-open-url', allow: [{ link: 'x' }] })).rejects.toThrow(
      /opener takes entries/,
    )
  })

  test('a long URL against many wildcards takes linear time', async () => {
    const { call } = await start({
      permission: 'opener:allow-open-url',
      allow: [{ url: `https://${'*a'.repeat(50)}*b` }],
    })
    const url = `https://${'a'.repeat(8000)}`
    expect((await call('opener', 'openUrl', url)).error).toMatch(/^Not allowed/)
  })
})

describe('shell', () => {
  const start = (config?: unknown, open: (target: string, request: object) => void = () => {}) => {
    const more = config === undefined ? {} : { config: { plugins: { shell: { open: config } } } }
    return startGuests({ plugins: [shell({ open })], allow: ['shell:default'], more })
  }

  test('opens with the programs that Tauri knows, and no other one', async () => {
    const { call } = await start()
    expect(await call('shell', 'open', 'https://a.b', 'Firefox')).toEqual({ value: null })
    expect((await call('shell', 'open', 'https://a.b', '/bin/sh')).error).toBe('unknown program /bin/sh')
  })

  test('it starts no programs, and says so', () =>
    rows(['spawn', 'execute'])(async method => {
      const allow = ['shell:allow-spawn', 'shell:allow-execute']
      const { bus } = await startGuests({ plugins: [shell()], allow })
      expect(await bus.call('main', 'runProgram', { method })).toMatch(
        /shell\(\) of @sallyport\/tauri-plugins starts no programs\. Define a command in your core/,
      )
    }))

  test('opens URLs without characters that could end an argument', async () => {
    const opened: string[] = []
    const { call } = await start(undefined, target => opened.push(target))
    await call('shell', 'open', 'mailto:a@b.c?subject=x" | y&body=`z`')
    expect(opened).toEqual(['mailto:a@b.c?subject=x%22%20%7C%20y&body=%60z%60'])
  })

  test('opens links by default', async () => {
    const { call } = await start()
    expect(await call('shell', 'open', 'https://a.b')).toEqual({ value: null })
    for (const path of ['file:///etc/passwd', '/bin/sh', 'https:', 'smb://x']) {
      expect((await call('shell', 'open', path)).error).toBe(
        'Scoped command argument at position 0 was found, but failed regex validation ^((mailto:\\w+)|(tel:\\w+)|(https?:\\/\\/\\w+)).+',
      )
    }
  })

  test('the option open of the configuration decides what is opened', () =>
    rows([
      [false, 'https://a.b', false],
      [true, 'https://a.b', true],
      ['/notes/.*', '/notes/a', true],
      ['/notes/.*', 'x/notes/a', false],
      ['a|b', 'ab', false],
    ])(async (config, path, isOpened) => {
      const { call } = await start(config)
      expect('value' in (await call('shell', 'open', path))).toBe(isOpened)
    }))
})

describe('dialog', () => {
  test('all buttons of the guest are shown, and the pressed one is returned as the guest wrote it', async () => {
    const shown: unknown[] = []
    const message = ({ buttons }: { buttons: readonly string[] }) => (shown.push(buttons), buttons[0])
    const { call } = await startGuests({ plugins: [dialog({ message })] })
    const results = []
    for (const buttons of [
      'Ok',
      'OkCancel',
      'YesNo',
      'YesNoCancel',
      { ok: 'Go\n' },
      { ok: 'A', cancel: 'B' },
      { yes: '1', no: '2', cancel: '3' },
    ]) {
      results.push((await call('dialog', 'message', 'a', { buttons })).value)
    }
    expect(results).toEqual(['Ok', 'Ok', 'Yes', 'Yes', 'Go\n', 'A', '1'])
    expect(shown).toEqual([
      ['Ok'],
      ['Ok', 'Cancel'],
      ['Yes', 'No'],
      ['Yes', 'No', 'Cancel'],
      ['Go '],
      ['A', 'B'],
      ['1', '2', '3'],
    ])
  })

  test('a closed dialog is its last button', async () => {
    const { call } = await startGuests({ plugins: [dialog({ message: () => undefined })] })
    expect(await call('dialog', 'ask', 'a')).toEqual({ value: false })
    expect(await call('dialog', 'message', 'a', { buttons: 'YesNoCancel' })).toEqual({ value: 'Cancel' })
    expect(await call('bus', 'invoke', 'plugin:dialog|ask', { message: 'a', yesButtonLabel: 'J' })).toEqual({
      value: false,
    })
  })

  test('a question has a yes, and a permission is granted, by their own words alone', async () => {
    let decide: () => unknown
    const answer = () => decide() as never
    const { call } = await startGuests({
      plugins: [dialog({ message: answer }), notification({ notify: () => {}, permission: answer })],
    })
    await rows(ODD_ANSWERS)(async (_name, odd) => {
      decide = odd
      expect((await call('dialog', 'ask', 'Sure?')).value ?? false).toBe(false)
      expect((await call('bus', 'invoke', 'plugin:dialog|confirm', { message: 'Sure?' })).value ?? false).toBe(false)
      expect((await call('bus', 'invoke', 'plugin:notification|is_permission_granted')).value ?? false).toBe(false)
    })
  })

  test('text begins with the label, without control characters and not too long', async () => {
    const message = vi.fn<(shown: DialogMessage) => string>(() => 'Ok')
    const { call } = await startGuests({ plugins: [dialog({ message })] })
    await call('dialog', 'message', `a\n\u001b[2J\u202eb${'x'.repeat(5000)}`, { title: 'T\r\nadmin: x' })
    const [shown] = message.mock.calls[0]!
    expect(shown.title).toBe('main: T  admin: x')
    expect(shown.message).toMatch(/^main: a  \[2J b.*…$/)
    expect(shown.message.length).toBeLessThan(4200)
  })

  test('an answer that is not one of the buttons, or not a path, fails', async () => {
    const { call } = await startGuests({ plugins: [dialog({ message: () => 'x', open: () => 5 as never })] })
    expect((await call('dialog', 'message', 'a')).error).toBe(
      "The host's dialog({ message }) did not return one of the buttons.",
    )
    expect((await call('dialog', 'open')).error).toMatch(/did not return paths|not iterable/)
  })

  test('wrong arguments are refused', () =>
    rows([
      ['message', {}],
      ['message', { message: 'a', kind: 'x' }],
      ['message', { message: 'a', buttons: { OkCustom: 5 } }],
      ['message', { message: 'a', buttons: { OkCancelCustom: ['a'] } }],
      ['message', { message: 'a', buttons: { __proto__: ['a'] } }],
      ['message', { message: 'a', buttons: 'toString' }],
      ['ask', { message: 5 }],
      ['open', { options: [] }],
      ['open', { options: { multiple: 'x' } }],
      ['open', { options: { filters: [5] } }],
      ['open', { options: { filters: Array.from({ length: 65 }, () => ({ name: 'a', extensions: [] })) } }],
      ['save', { options: { defaultPath: 'a\0' } }],
    ])(async (command, args) => {
      const host = vi.fn<() => string>(() => 'Ok')
      const { call } = await startGuests({ plugins: [dialog({ message: host, open: host, save: host })] })
      expect((await call('bus', 'invoke', `plugin:dialog|${command}`, args)).error).toMatch(/^invalid args /)
      expect(host).not.toHaveBeenCalled()
    }))
})

describe('notification', () => {
  test('a frontend can show 10 in a minute', async () => {
    const notify = vi.fn<() => void>()
    const { bus } = await startGuests({ plugins: [notification({ notify })], labels: ['main', 'other'] })
    const show = (label: string) => bus.call(label, 'notifyByClass', { title: 'a' })
    for (let i = 0; i < 10; i++) expect(await show('main')).toEqual({ value: 'a' })
    expect(await show('main')).toEqual({ error: expect.stringMatching(/^Notification refused: 10 were shown/) })
    expect(await show('other')).toEqual({ value: 'a' })
    expect(notify).toHaveBeenCalledTimes(11)
  })

  test("the guest learns a person's decision", async () => {
    const plugins = [notification({ notify: () => {}, permission: () => 'prompt', requestPermission: () => 'denied' })]
    const { call } = await startGuests({ plugins })
    expect(await call('notification', 'isPermissionGranted')).toEqual({ value: null })
    expect(await call('notification', 'requestPermission')).toEqual({ value: 'denied' })
    expect(await call('notification', 'isPermissionGranted')).toEqual({ value: false })
  })
})

test('the default permission of the clipboard allows nothing', async () => {
  const { call } = await startGuests({
    plugins: [clipboardManager({ readText: () => 'secret' })],
    allow: ['clipboard-manager:default'],
  })
  expect((await call('clipboard', 'readText')).error).toMatch(/read_text not allowed/)
})
