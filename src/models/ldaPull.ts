import {
  again,
  assemble,
  block,
  type Code,
  f64,
  f64x2,
  get,
  i32,
  leaveIf,
  loop,
  pageBytes,
  set,
  tee,
} from "../engine/simd.js";

/** The memory of one document's update, and the sum over its words. */
export interface DocumentMemory {
  /** Numbers from one word to the next in `rows`: K, or one more where K is odd; what is beyond K stays 0. */
  readonly stride: number;
  /** e^{E log β}, `[longest + 3, stride]`. */
  readonly rows: Float64Array;
  /** `[longest + 3]`. */
  readonly counts: Float64Array;
  /** e^{E log θ}, `[stride]`. */
  readonly theta: Float64Array;
  /** `[stride]`, which `pullOfWords` writes. */
  readonly pull: Float64Array;
  /**
   * Writes `Σ_i c_i r_ik / Σ_j θ_j r_ij` into `pull`, over n words and up to three more: a word with count 0 and a row of ones pulls nothing.
   *
   * Four words at a time, since four sums at once hide the latency of an addition; and two numbers an instruction where the host has SIMD, which
   * takes a third of the time that JavaScript does.
   */
  pullOfWords(n: number): void;
}

/**
 * Memory for documents of up to `longest` distinct words, all 0. Where the host has SIMD there is one memory a process, which the next call takes over: use it before any
 * other is made.
 */
export function documentMemory(longest: number, K: number): DocumentMemory {
  const stride = K + (K % 2);
  const words = longest + 3;
  const sizes = [words * stride, words + (words % 2), stride, stride];
  simd ??= assemblePull() ?? "none";
  const buffer = simd === "none" ? new ArrayBuffer(8 * sum(sizes)) : grown(simd.memory, 8 * sum(sizes));
  const starts = sizes.map((_, i) => 8 * sum(sizes.slice(0, i)));
  const [rows, counts, theta, pull] = sizes.map((size, i) => new Float64Array(buffer, starts[i], size).fill(0));
  const run = simd === "none" ? undefined : simd.run;
  return {
    stride,
    rows,
    counts,
    theta,
    pull,
    pullOfWords: (n) =>
      run
        ? run(starts[0], starts[1], n, starts[2], starts[3], 8 * stride)
        : pullInJavaScript(rows, counts, n, theta, pull),
  };
}

let simd: ReturnType<typeof assemblePull> | "none";

function grown(memory: NonNullable<ReturnType<typeof assemblePull>>["memory"], bytes: number): ArrayBuffer {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  return memory.buffer;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** `pullInJavaScript` for addresses of rows, counts, θ and pull, and the bytes from row to row. */
function assemblePull(): ReturnType<typeof assemble> {
  const [rows, counts, n, theta, pull, stride] = [0, 1, 2, 3, 4, 5];
  const k = 6;
  const word = [rows, 7, 8, 9]; // where the four rows begin
  const share = [10, 11, 12, 13]; // first the sums Σ_j θ_j r_j, then count over sum
  const thetaPair = 14;
  const at = (from: number): Code => [...get(from), ...get(k), ...i32.add];
  /** The body for k = 0, 16, … below the stride, in bytes. */
  const overTopics = (...body: readonly Code[]): Code => [
    ...[...i32.const(0), ...set(k)],
    ...loop(...body, [...get(k), ...i32.const(16), ...i32.add, ...tee(k)], [...get(stride), ...i32.lessThan, ...again]),
  ];
  return assemble({
    parameters: 6,
    integers: 4,
    pairs: 5,
    body: [
      ...overTopics([...at(pull), ...f64x2.zero, ...f64x2.store]),
      ...block(
        [...get(n), ...i32.const(0), ...i32.atMost, ...leaveIf],
        loop(
          [1, 2, 3].flatMap((i) => [...get(word[i - 1]), ...get(stride), ...i32.add, ...set(word[i])]),
          share.flatMap((sumOf) => [...f64x2.zero, ...set(sumOf)]),
          overTopics(
            [...at(theta), ...f64x2.load, ...set(thetaPair)],
            word.flatMap((row, i) => [
              ...[...get(share[i]), ...get(thetaPair), ...at(row), ...f64x2.load],
              ...[...f64x2.multiply, ...f64x2.add, ...set(share[i])],
            ]),
          ),
          share.flatMap((sumOf, i) => [
            ...[...get(counts), ...f64.load(8 * i)],
            ...[...get(sumOf), ...f64x2.lane(0), ...get(sumOf), ...f64x2.lane(1), ...f64.add],
            ...[...f64.divide, ...f64x2.splat, ...set(sumOf)],
          ]),
          overTopics(
            [...at(pull), ...at(pull), ...f64x2.load],
            word.flatMap((row, i) => [
              ...[...get(share[i]), ...at(row), ...f64x2.load, ...f64x2.multiply, ...f64x2.add],
            ]),
            f64x2.store,
          ),
          [...get(word[3]), ...get(stride), ...i32.add, ...set(rows)],
          [...get(counts), ...i32.const(32), ...i32.add, ...set(counts)],
          [...get(n), ...i32.const(4), ...i32.sub, ...tee(n), ...i32.const(0), ...i32.greaterThan, ...again],
        ),
      ),
    ],
  });
}

/**
 * What `pullOfWords` computes, where the host has no SIMD.
 *
 * @internal
 */
export function pullInJavaScript(
  rows: Float64Array,
  counts: Float64Array,
  n: number,
  theta: Float64Array,
  pull: Float64Array,
): void {
  const K = theta.length;
  pull.fill(0);
  for (let i = 0; i < n; i += 4) {
    const a = i * K;
    const [b, c, d] = [a + K, a + 2 * K, a + 3 * K];
    let [normA, normB, normC, normD] = [0, 0, 0, 0];
    for (let k = 0; k < K; k++) {
      const t = theta[k];
      normA += t * rows[a + k];
      normB += t * rows[b + k];
      normC += t * rows[c + k];
      normD += t * rows[d + k];
    }
    const [shareA, shareB, shareC, shareD] = [
      counts[i] / normA,
      counts[i + 1] / normB,
      counts[i + 2] / normC,
      counts[i + 3] / normD,
    ];
    for (let k = 0; k < K; k++) {
      pull[k] += shareA * rows[a + k] + shareB * rows[b + k] + shareC * rows[c + k] + shareD * rows[d + k];
    }
  }
}
