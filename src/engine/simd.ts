/**
 * An assembler for hot loops in Float64: functions of WebAssembly with two numbers an instruction, which JavaScript has no words for.
 *
 * An instruction is its bytes; a program is their concatenation.
 *
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */
export type Code = readonly number[];

const unsigned = (n: number): Code => (n < 128 ? [n] : [(n & 127) | 128, ...unsigned(n >>> 7)]);
const signed = (n: number): Code => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)]);
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const text = (name: string): Code => vector([...name].map((letter) => [letter.charCodeAt(0)]));
const [i32Type, v128Type] = [0x7f, 0x7b];

/** `local.get`: pushes a parameter or local. */
export const get = (local: number): Code => [0x20, ...unsigned(local)];
/** `local.set`: pops into a local. */
export const set = (local: number): Code => [0x21, ...unsigned(local)];
/** `local.tee`: sets a local and leaves the value on the stack. */
export const tee = (local: number): Code => [0x22, ...unsigned(local)];
/** Integers: addresses and counts. */
export const i32 = {
  const: (n: number): Code => [0x41, ...signed(n)],
  add: [0x6a] as Code,
  sub: [0x6b] as Code,
  lessThan: [0x48] as Code,
  greaterThan: [0x4a] as Code,
  atMost: [0x4c] as Code,
};
/** Single numbers. */
export const f64 = {
  /** From the address on the stack, plus so many bytes. */
  load: (offset: number): Code => [0x2b, 3, ...unsigned(offset)],
  add: [0xa0] as Code,
  divide: [0xa3] as Code,
};
/** Pairs of numbers. */
export const f64x2 = {
  zero: [0xfd, 0x0c, ...new Array<number>(16).fill(0)] as Code,
  load: [0xfd, 0x00, 4, 0] as Code,
  store: [0xfd, 0x0b, 4, 0] as Code,
  splat: [0xfd, 0x14] as Code,
  lane: (lane: 0 | 1): Code => [0xfd, 0x21, lane],
  add: [0xfd, 0xf0, 1] as Code,
  multiply: [0xfd, 0xf2, 1] as Code,
};
/** A block that {@link leaveIf} leaves. */
export const block = (...body: readonly Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b];
/** Runs its body, and again each time that {@link again} inside pops something true. */
export const loop = (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b];
/** Goes back to the start of the innermost loop if the value on the stack is true. */
export const again: Code = [0x0d, 0];
/** Leaves the innermost block if the value on the stack is true. */
export const leaveIf: Code = [0x0d, 0];

/** What of the host's WebAssembly is used; the compiler's library for Node does not declare it. */
interface Host {
  validate(bytes: Uint8Array): boolean;
  readonly Memory: new (pages: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly host: { readonly memory: Memory } },
  ) => { readonly exports: { readonly run: (...parameters: number[]) => void } };
}

/** Memory that a {@link SimdFunction} works on. */
export interface Memory {
  /** Taken anew after every `grow`. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A function of integers, and the memory that they point into. */
export interface SimdFunction {
  readonly memory: Memory;
  readonly run: (...parameters: number[]) => void;
}

/** Bytes of a page of {@link Memory}. */
export const pageBytes = 65536;

/**
 * Assembles a function: parameters are locals 0 to `parameters` − 1, then come the integers and then the pairs.
 *
 * @returns the function, or `undefined` where the host has no SIMD: the caller needs another way.
 */
export function assemble(options: {
  readonly parameters: number;
  readonly integers: number;
  readonly pairs: number;
  readonly body: Code;
}): SimdFunction | undefined {
  const host = (globalThis as unknown as { readonly WebAssembly?: Host }).WebAssembly;
  const { parameters, integers, pairs, body } = options;
  const locals = vector([
    [...unsigned(integers), i32Type],
    [...unsigned(pairs), v128Type],
  ]);
  const code = [...locals, ...body, 0x0b];
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector(new Array<Code>(parameters).fill([i32Type])), 0]])),
    ...section(2, vector([[...text("host"), ...text("memory"), 2, 0, 1]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...text("run"), 0, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
  if (!host?.validate(bytes)) return undefined;
  const memory = new host.Memory({ initial: 1 });
  return { memory, run: new host.Instance(new host.Module(bytes), { host: { memory } }).exports.run };
}
