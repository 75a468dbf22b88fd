import { callSite } from "./callSite.js";
import { CompileError } from "./compileError.js";
import { fusedDraw } from "./fusedDraws.js";
import { type AttributeValue, type Graph, type Reference, shapeValue } from "./graph.js";
import { type NativeAttribute, nativeBackend } from "./nativeBackend.js";
import { spreads } from "./spreads.js";
import type { Tensor } from "./tf.js";

/** Notes one operation, in the form that a graph runs fastest. */
export function addOperation(
  { graph, fused }: { readonly graph: Graph; readonly fused: boolean },
  name: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly Reference[],
  outputs: readonly Tensor[],
): readonly Reference[] {
  const encoded = Object.fromEntries(attributes.map((attribute) => [attribute.name, encodeAttribute(attribute)]));
  const shapes = outputs.map(({ shape }) => shape);
  if (name === "Reshape") return [graph.reshape(inputs[0] as Reference, shapes[0] as number[])];
  if (fused && name.startsWith("StatelessRandom")) {
    const draw = fusedDraw(graph, name, inputs[1] as Reference, shapes[0] as number[]);
    if (draw) return [draw];
    throw new CompileError(`XLA cannot make the draws of ${name}${callSite()}; compile without it.`);
  }
  const product = name === "BatchMatMulV2" && matrixProduct(graph, encoded, inputs, shapes[0] as number[]);
  return product ? [product] : graph.add(name, inputs, encoded, shapes);
}

/** A batched product with one right-hand matrix as a plain one; nothing where it is truly batched, or runs faster as it is. */
function matrixProduct(
  graph: Graph,
  attributes: Readonly<Record<string, AttributeValue>>,
  [left, right]: readonly Reference[],
  shape: readonly number[],
): Reference | undefined {
  if (!left?.shape || !right?.shape) return undefined;
  const single = (s: readonly number[]): boolean => s.slice(0, -2).every((size) => size === 1);
  const flag = (name: string): boolean => (attributes[name] as { b: boolean } | undefined)?.b ?? false;
  const [transposeLeft, transposeRight] = [flag("adj_x"), flag("adj_y")];
  if (!single(right.shape) || (transposeLeft && !single(left.shape))) return undefined;
  const columns = left.shape.at(-1) as number;
  const rows = left.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const width = shape.at(-1) as number;
  if (transposeLeft ? spreads(columns, rows, width) : spreads(rows, columns, width)) return undefined;
  const flat = [graph.reshape(left, [rows, columns]), graph.reshape(right, right.shape.slice(-2))];
  const result = graph.one("MatMul", flat, { transpose_a: { b: transposeLeft }, transpose_b: { b: transposeRight } }, [
    transposeLeft ? columns : rows,
    width,
  ]);
  return graph.reshape(result, shape);
}

function encodeAttribute({ name, type, value }: NativeAttribute): AttributeValue {
  const { binding } = nativeBackend();
  const many = Array.isArray(value);
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return many ? { list: { type: value as number[] } } : { type: value as number };
    case binding.TF_ATTR_BOOL:
      return { b: Boolean(value) };
    case binding.TF_ATTR_INT:
      return many ? { list: { i: value as number[] } } : { i: value as number };
    case binding.TF_ATTR_FLOAT:
      return many ? { list: { f: value as number[] } } : { f: value as number };
    case binding.TF_ATTR_STRING:
      return { s: new TextEncoder().encode(value as string) };
    case binding.TF_ATTR_SHAPE:
      return { shape: shapeValue(value as number[]) };
    default:
      throw new CompileError(`attribute ${name} of an operation has a kind that a graph cannot hold.`);
  }
}
