// V8 optimizes a function of WebAssembly while it runs, but the call that runs goes on in slow code to its end. A script without a pause is
// one call of QuickJS's interpreter, so its loop becomes a function that calls itself again when the script host asks for it
// (docs/adr/0039-scripts-in-quickjs.md). The places are those of one build of `quickjs-wasi`; a module without them stays as it is.
import { addItems, forEachSection, getSize, readNumber, SECTION, writeNumber } from './wasm-sections.js'

/** The name of the global that the script host sets to 1. */
export const REENTER = 'reenter'

const I32 = 0x7f
const I64 = 0x7e
const F64 = 0x7c
const BLOCK = [0x02, 0x40]
const LOOP = [0x03, 0x40]
const END = 0x0b
const getLocal = (index: number): number[] => [0x20, index]
const setLocal = (index: number): number[] => [0x21, index]
const setConstant = (value: number): number[] => [0x41, value]
const ADD = 0x6a
const SUBTRACT = 0x6b

/** The place of the interpreter, `JS_CallInternal`, in the section of code, and its length. Of another build nothing below holds. */
const INTERPRETER_AT = 17_948
const INTERPRETER_BYTES = 37_404

// Its locals.
/** 0 where the next instruction runs, 1 where an exception was thrown. */
const STATE = 6
/** The script's next instruction, between the two loops. */
const INSTRUCTION = 8
/** The frame on the stack in memory. */
const FRAME = 15
const RESULT = 45
/** As many locals, from the first, have a value when the loop is entered. */
const ENTERED = 28
/** Those among them that the loop sets before it reads them. */
const UNREAD = new Set([10, 12, 13, 14, 17, 18, 21, 25])

/** What begins the outer loop, after all that an entry of the interpreter prepares. */
const OUTER_AT = 832
const OUTER = [...BLOCK, ...BLOCK, ...BLOCK, ...LOOP, ...getLocal(STATE), 0x45, 0x04, 0x40]
/** What begins the inner loop, of which each turn is an instruction: `STATE` is the place behind it there. */
const INNER_AT = 1012
const INNER = [...getLocal(INSTRUCTION), ...setConstant(1), ADD, ...setLocal(STATE), ...BLOCK, ...LOOP]
/** The end: it gives the frame back. */
const LAST = [...getLocal(FRAME), 0x41, 0xe0, 0x01, ADD, 0x24, 0, ...getLocal(RESULT), END]

/** The type of the loop: the parameters of the interpreter, and locals that it has set. */
const PARAMETERS = [I32, I64, I64, I64, I32, I32, I32, ...Array.from({ length: ENTERED - 7 }, () => I32)]
const TYPE = Uint8Array.of(0x60, PARAMETERS.length, ...PARAMETERS, 1, I64)
/** The interpreter's other locals: their numbers stay as they are. */
const LOCALS = [3, 17, I32, 10, I64, 2, F64]
const GLOBAL = Uint8Array.of(I32, 1, ...setConstant(0), END)

type Change = (id: number, content: Uint8Array) => Uint8Array[] | undefined

/**
 * Returns the sections of a module whose interpreter calls itself again where `REENTER` is 1, which it sets to 0.
 *
 * @returns a function that changes no section if the module is another one
 */
export function createReentry(bytes: Uint8Array): Change {
  const counts: Record<number, number> = {}
  let places: Places | undefined
  forEachSection(bytes, (id, content) => {
    counts[id] = readNumber(content, 0)[0]
    if (id === SECTION.code) places = findPlaces(content)
  })
  if (!places) return () => undefined
  const { [SECTION.type]: type = 0, [SECTION.import]: imports = 0, [SECTION.function]: functions = 0 } = counts
  const global = writeNumber(counts[SECTION.global] ?? 0)
  const changes: Record<number, (content: Uint8Array) => Uint8Array[]> = {
    [SECTION.type]: content => addItems(content, TYPE),
    [SECTION.function]: content => addItems(content, writeNumber(type)),
    [SECTION.global]: content => addItems(content, GLOBAL),
    [SECTION.export]: content => addItems(content, toExport(REENTER, global)),
    [SECTION.code]: content => splitInterpreter(content, places!, writeNumber(imports + functions), global),
  }
  return (id, content) => changes[id]?.(content)
}

/** Places of the interpreter in the section of code. */
interface Places {
  /** That of its size, which is before its body. */
  start: number
  body: number
  outer: number
  /** Behind what begins the inner loop. */
  inner: number
  end: number
}

/** A search would be code that V8 optimizes, for which a process takes 6 MiB. */
function findPlaces(section: Uint8Array): Places | undefined {
  const [size, body] = readNumber(section, INTERPRETER_AT)
  const [outer, inner, end] = [body + OUTER_AT, body + INNER_AT, body + size]
  const has = (at: number, bytes: readonly number[]): boolean =>
    bytes.every((byte, index) => section[at + index] === byte)
  const isKnown = size === INTERPRETER_BYTES && has(outer, OUTER) && has(inner, INNER) && has(end - LAST.length, LAST)
  return isKnown ? { start: INTERPRETER_AT, body, outer, inner: inner + INNER.length, end } : undefined
}

/** Splits the interpreter into what an entry prepares, which then calls the loop, and the loop, which becomes the last function. */
function splitInterpreter(section: Uint8Array, places: Places, loop: Uint8Array, global: Uint8Array): Uint8Array[] {
  const { start, body, outer, inner, end } = places
  const values = Array.from({ length: ENTERED }, (_, index) => (UNREAD.has(index) ? setConstant(0) : getLocal(index)))
  const callLoop = [...values.flat(), 0x10, ...loop]
  const reenter = [
    ...[0x23, ...global, 0x04, 0x40],
    ...[...setConstant(0), 0x24, ...global],
    ...[...getLocal(STATE), ...setConstant(1), SUBTRACT, ...setLocal(INSTRUCTION)],
    ...[...setConstant(0), ...setLocal(STATE)],
    ...[...callLoop, 0x0f, END],
  ]
  const [count, first] = readNumber(section, 0)
  return [
    writeNumber(count + 1),
    section.subarray(first, start),
    ...toBody(section.subarray(body, outer), Uint8Array.of(...callLoop, ...setLocal(RESULT), END, ...LAST)),
    section.subarray(end),
    ...toBody(
      Uint8Array.of(...LOCALS, ...BLOCK),
      section.subarray(outer, inner),
      Uint8Array.from(reenter),
      section.subarray(inner, end),
    ),
  ]
}

const toBody = (...parts: Uint8Array[]): Uint8Array[] => [writeNumber(getSize(parts)), ...parts]

const toExport = (name: string, global: Uint8Array): Uint8Array =>
  Uint8Array.of(name.length, ...new TextEncoder().encode(name), 3, ...global)
