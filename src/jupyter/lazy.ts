/** A value that is made when it is first needed. */
export class Lazy<T> {
  readonly #make: () => T;
  #made: { readonly value: T } | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  /** The value, made now if it was not yet. */
  get(): T {
    this.#made ??= { value: this.#make() };
    return this.#made.value;
  }

  /** The value if it was made already. */
  peek(): T | undefined {
    return this.#made?.value;
  }
}
