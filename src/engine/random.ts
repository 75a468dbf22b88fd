/** A random key: two unsigned 32-bit words. Pure data, so that a draw is a function of it and a compiled step can be fed with it. */
export interface Key {
  readonly words: readonly [number, number];
}
