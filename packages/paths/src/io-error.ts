/** Creates an error like those of Node's `fs`. */
export const createIoError = (code: string): Error => Object.assign(new Error(code), { code })
