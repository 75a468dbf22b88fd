import { CompileError } from "./compileError.js";
import { formatShape } from "./shape.js";
import { type Tensor, tf } from "./tf.js";

/** A nested record taken apart: its tensors and keys, and what is left when they are gone. */
export interface Flattened<K> {
  readonly tensors: readonly Tensor[];
  readonly keys: readonly K[];
  /** Where plain values stand (`undefined` and `null` aside). */
  readonly plain: readonly string[];
  /** Equal for two records that differ in the numbers of their tensors and the words of their keys alone. */
  readonly signature: string;
  /** A record of the same structure with other tensors and keys. */
  rebuild(tensors: readonly Tensor[], keys: readonly K[]): unknown;
}

type Build<K> = (tensors: readonly Tensor[], keys: readonly K[]) => unknown;

/**
 * Takes a nested record of tensors, keys and plain values apart.
 *
 * @param what what the record is called in errors.
 * @throws Error naming the place of what is neither a tensor (not disposed, of numbers or truth values), a key, nor a plain value.
 */
export function flatten<K extends object>(record: unknown, what: string): Flattened<K> {
  const tensors: Tensor[] = [];
  const keys: K[] = [];
  const plain: string[] = [];
  const signature: string[] = [];
  const walk = (node: unknown, path: string): Build<K> => {
    if (node instanceof tf.Tensor) {
      checkTensor(node, path);
      const at = tensors.push(node) - 1;
      signature.push(`${node.dtype}${formatShape(node.shape)}`);
      return (given) => given[at];
    }
    if (isKey(node)) {
      const at = keys.push(node as K) - 1;
      signature.push("key");
      return (_, given) => given[at];
    }
    if (Array.isArray(node)) {
      signature.push("[");
      const parts = node.map((child, i) => walk(child, `${path}[${i}]`));
      signature.push("]");
      return (...given) => parts.map((build) => build(...given));
    }
    if (isRecord(node)) {
      signature.push("{");
      const parts = Object.entries(node).map(([name, child]) => {
        signature.push(JSON.stringify(name));
        return [name, walk(child, `${path}.${name}`)] as const;
      });
      signature.push("}");
      return (...given) => Object.fromEntries(parts.map(([name, build]) => [name, build(...given)]));
    }
    if (node !== null && ["object", "function", "symbol"].includes(typeof node)) {
      const kind = typeof node === "object" ? (node.constructor?.name ?? "object") : typeof node;
      throw new CompileError(
        `${path} is of the kind ${kind}; use tensors, keys and plain values in records and lists.`,
      );
    }
    if (node !== undefined && node !== null) plain.push(path);
    signature.push(plainSignature(node));
    return () => node;
  };
  const rebuild = walk(record, what);
  return { tensors, keys, plain, signature: signature.join(" "), rebuild };
}

function checkTensor({ dtype, isDisposed }: Tensor, path: string): void {
  if (isDisposed) throw new Error(`compile: ${path} is a tensor that has been disposed.`);
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return;
  throw new CompileError(`${path} is a tensor of ${dtype}; a compiled step takes and returns float32, int32 and bool.`);
}

/** Equal for equal plain values alone: JSON has but one word for NaN, the infinities and null. */
function plainSignature(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A key and nothing but a key: what else stood in the record would be lost. */
function isKey(node: unknown): boolean {
  if (!isRecord(node) || Object.keys(node).length !== 1) return false;
  const words = (node as { words?: unknown }).words;
  return Array.isArray(words) && words.length === 2 && words.every((word) => typeof word === "number");
}

function isRecord(node: unknown): node is object {
  if (typeof node !== "object" || node === null) return false;
  const prototype = Object.getPrototypeOf(node);
  return prototype === Object.prototype || prototype === null;
}
