/** A data file that cannot be used: `"missing"` if it is nowhere, `"damaged"` if it is there with the wrong content. */
export class DataError extends Error {
  override readonly name: string = "DataError";
  readonly reason: "missing" | "damaged";

  constructor(reason: "missing" | "damaged", message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
