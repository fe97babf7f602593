/** The error for one value within a message that a codec refused. Its text follows the path of the value. */
export class RefusedValueError extends TypeError {
  constructor(
    readonly refused: object,
    message: string,
  ) {
    super(message)
  }
}
