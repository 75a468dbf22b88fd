import seedrandom from "seedrandom";
import { keyTrace, type Redraw } from "./keyTrace.js";
import { type Attribute, executeNative, isNative } from "./native.js";
import { offTape } from "./offTape.js";
import { formatShape } from "./shape.js";
import { type Tensor, tf } from "./tf.js";
import { threefry2x32, type Words } from "./threefry.js";

/** A random key: two unsigned 32-bit words. Pure data, so that a draw is a function of it and a compiled step can be fed with it. */
export interface Key {
  readonly words: readonly [number, number];
}

/** The second counter word says what a block is for, so that draws, splits and folds of one key never share a block. */
const purpose = { draw: 0, split: 1, fold: 2 } as const;

/**
 * The key of a seed; equal seeds give equal keys, and so equal draws on one backend.
 *
 * @throws Error if the seed is not a finite number or a non-empty string.
 */
export function randomKey(seed: number | string): Key {
  if (seed === "" || (typeof seed === "number" && !Number.isFinite(seed))) {
    throw new Error(
      `A seed must be a finite number or a non-empty string, not ${seed === "" ? "an empty one" : seed}.`,
    );
  }
  const generator = seedrandom(unrepeated(String(seed)));
  return { words: [generator.int32() >>> 0, generator.int32() >>> 0] };
}

/** A text, marked where it is a shorter one over and over: seedrandom goes through short seeds in a circle, so that to it 11 is 1, and 1212 is 12. */
function unrepeated(text: string): string {
  return /^(.+?)\1+$/s.test(text) ? `${text}\u0000` : text;
}

/**
 * `n` keys that are independent of each other and of the key's own draws. Use the parent no further.
 *
 * @throws Error if n is not a positive integer.
 */
export function split(key: Key): [Key, Key];
export function split(key: Key, n: number): Key[];
export function split(key: Key, n = 2): Key[] {
  checkCount("split(key, n): n", n);
  return Array.from({ length: n }, (_, i) => derive(key, [i, purpose.split]));
}

/**
 * The key of item `index` of a sequence: step, worker, minibatch. Different indices give independent keys.
 *
 * @throws Error if the index is not an integer in [0, 2³²).
 */
export function foldIn(key: Key, index: number): Key {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** 32) {
    throw new Error(`foldIn(key, index): index must be an integer in [0, 2^32), not ${index}.`);
  }
  return derive(key, [index, purpose.fold]);
}

function derive(parent: Key, counter: Words): Key {
  const child: Key = { words: threefry2x32(parent.words, counter) };
  keyTrace()?.derived(parent, child, counter);
  return child;
}

/**
 * Independent draws from N(0, 1).
 *
 * Draws of one shape are a function of the key (and of the backend: libtensorflow's Philox and the portable Threefry give different
 * bits). Both are Box–Muller in their precision, so no draw is farther out than 5.7 (native) or 6.8 (portable).
 */
export function normal(key: Key, shape: readonly number[]): Tensor {
  if (isNative()) return statelessNative("StatelessRandomNormal", key, shape);
  return portable(key, shape, (words, out, i) => {
    const radius = Math.sqrt(-2 * Math.log(unit(words[0])));
    const angle = (2 * Math.PI * words[1]) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
  });
}

/**
 * Independent draws from the uniform distribution on [low, high), by default [0, 1), in steps of 2⁻²³ of its width.
 *
 * Where float32 is coarser than that between low and high, a draw can be rounded to `high` itself.
 */
export function uniform(
  key: Key,
  shape: readonly number[],
  { low = 0, high = 1 }: { readonly low?: number; readonly high?: number } = {},
): Tensor {
  if (!(low < high)) throw new Error(`uniform: low (${low}) must be less than high (${high}).`);
  return tf.tidy(() => {
    const unit = isNative()
      ? statelessNative("StatelessRandomUniform", key, shape)
      : portable(key, shape, (words, out, i) => {
          // 23 bits, as libtensorflow: with 24, the largest u times a float32 total can round up to that total.
          out[i] = (words[0] >>> 9) / 2 ** 23;
          if (i + 1 < out.length) out[i + 1] = (words[1] >>> 9) / 2 ** 23;
        });
    return low === 0 && high === 1 ? unit : tf.add(tf.mul(unit, high - low), low);
  });
}

/** Independent signs, −1 or 1 with probability ½ each. */
export function rademacher(key: Key, shape: readonly number[]): Tensor {
  if (!isNative()) {
    return portable(key, shape, (words, out, i) => {
      out[i] = words[0] >>> 31 ? -1 : 1;
      if (i + 1 < out.length) out[i + 1] = words[1] >>> 31 ? -1 : 1;
    });
  }
  return tf.tidy(() => tf.sub(1, tf.mul(2, tf.cast(tf.less(nativeBits(key, shape), 0), "float32"))));
}

/** Independent draws from the exponential distribution of rate 1: E = −log U. */
export function exponential(key: Key, shape: readonly number[]): Tensor {
  if (!isNative())
    return portable(
      key,
      shape,
      elementwise((u) => -Math.log(u)),
    );
  return tf.tidy(() => tf.neg(tf.log(fineUniform(key, shape))));
}

/** Independent draws from the standard Gumbel distribution: G = −log(−log(1 − U)), accurate far into its upper tail. */
export function gumbel(key: Key, shape: readonly number[]): Tensor {
  // U is finest near zero, and 1 − U puts the large values of G there: they are the ones that decide an argmax.
  if (!isNative())
    return portable(
      key,
      shape,
      elementwise((u) => -Math.log(-Math.log1p(-u))),
    );
  return tf.tidy(() => {
    const u = tf.minimum(fineUniform(key, shape), 1 - 2 ** -24);
    return tf.neg(tf.log(tf.neg(tf.log1p(tf.neg(u)))));
  });
}

/**
 * Draws of an index in proportion to `softmax(logits)`: the argmax of logits plus Gumbel noise. No gradient flows through the choice.
 *
 * It draws K numbers an index, so many indices from many categories take time and memory in proportion to both.
 *
 * @param logits unnormalised log-probabilities `[..., K]`; −∞ marks an impossible index.
 * @param sampleShape leading shape of independent draws.
 * @returns int32 indices `[...sampleShape, ...batch]`.
 * @throws Error if logits is a scalar.
 */
export function categorical(key: Key, logits: Tensor, sampleShape: readonly number[] = []): Tensor {
  if (logits.rank === 0) throw new Error("categorical: logits must have the shape [..., K], not [].");
  return offTape(() => tf.argMax(tf.add(logits, gumbel(key, [...sampleShape, ...logits.shape])), -1));
}

/**
 * Draws of 0 or 1 with the given probabilities of 1 (rounded up to a multiple of 2⁻²³), as float32 of shape
 * `[...sampleShape, ...probabilities.shape]`. No gradient flows through them.
 */
export function bernoulli(key: Key, probabilities: Tensor, sampleShape: readonly number[] = []): Tensor {
  return offTape(() => {
    const u = uniform(key, [...sampleShape, ...probabilities.shape]);
    return tf.cast(tf.less(u, probabilities), "float32");
  });
}

/**
 * A uniformly random order of 0, …, n − 1 (Fisher–Yates) as numbers of JavaScript; the same on every backend.
 *
 * It is made where it is called, so inside a compiled step it would stay what it was when the step was recorded: use
 * {@link randomPermutation} there.
 *
 * @throws Error if n is not a positive integer.
 */
export function permutation(key: Key, n: number): Int32Array {
  checkCount("permutation(key, n): n", n);
  keyTrace()?.opened?.(key, "permutation");
  return shuffled(key, n);
}

/**
 * The numbers 0, …, n − 1 in a uniformly random order.
 *
 * @internal
 */
export function shuffled(key: Key, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const words = threefry2x32(key.words, [i, purpose.draw]);
    const fraction = (words[0] + words[1] / 2 ** 32) / 2 ** 32;
    const j = Math.min(i, Math.floor(fraction * (i + 1)));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Uniform on (0, 1], a multiple of 2⁻³¹ where it is small (an ordinary float32 uniform draw stops at 2⁻²³). */
function fineUniform(key: Key, shape: readonly number[]): Tensor {
  return tf.mul(tf.add(tf.abs(tf.cast(nativeBits(key, shape), "float32")), 0.5), 2 ** -31);
}

/**
 * Independent integers uniform on [−2³¹, 2³¹), int32, drawn natively.
 *
 * @internal
 */
export function nativeBits(key: Key, shape: readonly number[]): Tensor {
  return statelessNative("StatelessRandomUniformFullInt", key, shape, { dtype: "int32" });
}

/**
 * A random word as a number uniform on (0, 1), to 32 bits.
 *
 * @internal
 */
export function unit(word: number): number {
  return (word + 0.5) / 2 ** 32;
}

/** Writes `transform(U)` for two independent U, uniform on (0, 1) with 32 bits, a block. */
function elementwise(transform: (u: number) => number): Parameters<typeof portable>[2] {
  return (words, out, i) => {
    out[i] = transform(unit(words[0]));
    if (i + 1 < out.length) out[i + 1] = transform(unit(words[1]));
  };
}

/**
 * Runs a stateless random operation of libtensorflow; the result depends on key, shape and parameters alone.
 *
 * @internal
 */
export function statelessNative(
  operation: string,
  key: Key,
  shape: readonly number[],
  { dtype = "float32", parameters = [], types = {} }: StatelessOptions = {},
): Tensor {
  checkDrawShape(shape);
  return tf.tidy(() => {
    const size = tf.tensor1d([...shape], "int32");
    const seed = seedTensor(key);
    const attributes = { dtype: { type: dtype }, T: { type: "int32" }, Tseed: { type: "int32" }, ...types } as const;
    return executeNative(operation, attributes, [size, seed, ...parameters]);
  });
}

interface StatelessOptions {
  readonly dtype?: "float32" | "int32";
  /** Tensors that the distribution depends on; their shape is the end of the draw's. */
  readonly parameters?: readonly Tensor[];
  /** Attributes for the types of the parameters. */
  readonly types?: Readonly<Record<string, Attribute>>;
}

/** The key's words as the seed of a stateless operation; a compiled step is fed with it. */
export function seedTensor(key: Key): Tensor {
  const seed = tf.tensor1d(Int32Array.from(key.words), "int32");
  keyTrace()?.seeded(key, seed);
  return seed;
}

/** Fills a tensor two numbers a block, in the order of the counter. */
function portable(
  key: Key,
  shape: readonly number[],
  write: (words: readonly [number, number], out: Float32Array, i: number) => void,
): Tensor {
  checkDrawShape(shape);
  return inJavaScript(key, [], ({ words }) => {
    const out = new Float32Array(sizeOf(shape));
    for (let i = 0; i < out.length; i += 2) write(threefry2x32(words, [i >>> 1, purpose.draw]), out, i);
    return tf.tensor(out, [...shape], "float32");
  });
}

/**
 * A draw whose elements each depend on one value of a parameter and take as many blocks as they need: block j of element i has the
 * counter (i, j).
 *
 * @param parameter its shape is the end of the draw's, `[...sampleShape, ...parameter.shape]`.
 * @param draw one element, from the parameter's value and the blocks of its own.
 * @internal
 */
export function portableElements(
  key: Key,
  parameter: Tensor,
  sampleShape: readonly number[],
  draw: (value: number, block: (j: number) => Words) => number,
): Tensor {
  checkDrawShape(sampleShape);
  const shape = [...sampleShape, ...parameter.shape];
  return inJavaScript(key, [parameter], ({ words }, [parameter]) => {
    const values = parameter!.dataSync();
    const out = new Float32Array(sizeOf(shape));
    for (let i = 0; i < out.length; i++) {
      out[i] = draw(values[i % values.length]!, (j) => threefry2x32(words, [i, purpose.draw + 256 * j]));
    }
    return tf.tensor(out, shape, "float32");
  });
}

/**
 * Makes a draw in JavaScript, and tells a recorder how to make it again.
 *
 * @internal
 */
export function inJavaScript(key: Key, inputs: readonly Tensor[], draw: Redraw): Tensor {
  const tensor = draw(key, inputs);
  keyTrace()?.drawn?.(key, tensor, draw, inputs);
  return tensor;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function checkDrawShape(shape: readonly number[]): void {
  if (shape.every((size) => Number.isInteger(size) && size >= 0)) return;
  throw new Error(`A draw's shape must consist of non-negative integers, not ${formatShape(shape)}.`);
}

function checkCount(name: string, n: number): void {
  if (!Number.isInteger(n) || n < 1) throw new Error(`${name} must be a positive integer, not ${n}.`);
}
