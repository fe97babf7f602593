// What is wrong with a command, in words.

/** A mistake of whoever typed the command, or wrote a file that it names: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
