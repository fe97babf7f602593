// A MiB of bytes, as a picture or a part of a file: large enough that only copies and ciphers count.
import { echoOfBytes, type Payload } from './payload.js'

const MIB = 2 ** 20

/** As JSON, which is what is sent as bytes, the text has two more characters. */
export const mebibyte = (): Payload => echoOfBytes('mebibyte', '1 MiB of bytes', ['x'.repeat(MIB - 2)])
