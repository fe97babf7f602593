// Checks of arguments against a schema, whose error texts are Tauri's.
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { rows } from '../../../../scripts/testing.js'
import { checkArguments } from './arguments.js'

const run = async (schema: z.ZodType | v.GenericSchema, args: unknown, method = 'greet'): Promise<unknown> =>
  checkArguments(method, schema, value => value)(args, undefined as never)

const schemas: Record<string, z.ZodType | v.GenericSchema> = {
  zod: z.object({ userName: z.string(), age: z.number().default(7) }),
  valibot: v.object({ userName: v.string(), age: v.optional(v.number(), 7) }),
}

it('passes on the output of the schema', () =>
  rows(schemas)(async schema => expect(await run(schema, { userName: 'x' })).toEqual({ userName: 'x', age: 7 })))

it("names a missing key in Tauri's text", () =>
  rows(schemas)(async schema => {
    const message = 'invalid args `userName` for command `greet`: command greet missing required key userName'
    for (const args of [{}, { userName: undefined, age: 1 }])
      for (const method of ['greet', 'plugin:people|greet'])
        await expect(run(schema, args, method)).rejects.toMatchObject({ reason: 'InvalidParams', message })
  }))

it('has the first issue in the text and all issues in the data', () =>
  rows(schemas)(async schema =>
    expect(run(schema, { userName: 5, age: 'x' })).rejects.toMatchObject({
      message: expect.stringMatching(/^invalid args `userName` for command `greet`: Invalid .*string/) as string,
      data: { issues: [{ path: ['userName'] }, { path: ['age'] }] },
    }),
  ))

it("names the first key in Tauri's text when the arguments are bytes", () => {
  const isNamed = (value: unknown): boolean => !(value instanceof Uint8Array)
  const noBytes = z.custom(isNamed, 'names are missing').pipe(z.object({ userName: z.string() }))
  return rows<z.ZodType | v.GenericSchema>({ ...schemas, noBytes })(async schema =>
    expect(run(schema, new Uint8Array(2))).rejects.toMatchObject({
      message:
        'invalid args `userName` for command `greet`: ' +
        'command greet expected a value for key userName but the IPC call used a bytes payload',
    }),
  )
})

it('names a nested key with its path', async () => {
  await expect(run(z.object({ a: z.object({ b: z.string() }) }), { a: {} })).rejects.toMatchObject({
    message: expect.stringMatching(/^invalid args `a\.b` for command `greet`: Invalid input/) as string,
  })
})

it('names the command when an issue has no path', async () => {
  const schema = z.object({ a: z.number().optional() }).refine(({ a }) => a !== undefined, 'give something')
  await expect(run(schema, {})).rejects.toMatchObject({ message: 'invalid args for command `greet`: give something' })
})

it('passes bytes to a schema of bytes', async () => {
  const schema = z.instanceof(Uint8Array)
  expect(await run(schema, new Uint8Array([1]))).toEqual(new Uint8Array([1]))
  await expect(
    run(
      schema.refine(bytes => bytes.length > 3, 'too few'),
      new Uint8Array([1]),
    ),
  ).rejects.toMatchObject({
    reason: 'InvalidParams',
  })
})

it('escapes and truncates a key that the caller chose', async () => {
  const key = `a\n${'x'.repeat(200)}`
  const error = await run(z.record(z.string(), z.number()), { [key]: 'x' }).catch((thrown: unknown) => thrown)
  expect((error as Error).message).toMatch(/^invalid args `a\\nx{78}…` for command `greet`: Invalid input/)
})
