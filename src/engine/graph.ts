import { fusion } from "./elementwise.js";
import { operation } from "./operations.js";

/** TensorFlow's numbers of the element types that tfjs tensors have. */
export const dataTypes = { float32: 1, int32: 3, string: 7, complex64: 8, int64: 9, bool: 10 } as const;

/** An attribute of a node, in the words of TensorFlow's AttrValue message. */
export type AttributeValue =
  | { readonly type: number }
  | { readonly b: boolean }
  | { readonly i: number }
  | { readonly f: number }
  | { readonly s: Uint8Array }
  | { readonly shape: ShapeValue }
  | { readonly tensor: TensorValue }
  | { readonly func: { readonly name: string } }
  | {
      readonly list: {
        readonly type?: readonly number[];
        readonly i?: readonly number[];
        readonly f?: readonly number[];
      };
    };

interface ShapeValue {
  readonly dim: readonly { readonly size: number }[];
}

/** A constant: its bytes, or one element that all others equal. */
interface TensorValue {
  readonly dtype: number;
  readonly tensorShape: ShapeValue;
  readonly tensorContent?: Uint8Array;
  readonly floatVal?: readonly number[];
  readonly intVal?: readonly number[];
  readonly boolVal?: readonly boolean[];
}

/** One output of a node, or an argument of a function. */
export interface Reference {
  readonly node: string;
  /** Position among all outputs of the node. */
  readonly position: number;
  /** Name of the output in the registry and position within it; absent for an argument. */
  readonly output?: { readonly name: string; readonly index: number };
  readonly dtype: number;
  /** Absent where the recorder did not see the tensor itself. */
  readonly shape?: readonly number[];
}

/** An argument of a graph. */
export interface Parameter extends Reference {
  readonly shape: readonly number[];
}

/** One operation. */
export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly Reference[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Elements of the first output, where they are known. */
  readonly size?: number | undefined;
}

/** A body with arguments and results: the graph of a step, or the function of a loop. */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly parameters: Parameter[] = [];
  results: readonly Reference[] = [];
  /** Attributes of the function that the body becomes. */
  functionAttributes: Readonly<Record<string, AttributeValue>> = {};
  /** What a reshaped tensor was before. */
  readonly #reshaped = new Map<Reference, Reference>();

  constructor(readonly name: string) {}

  /** A new argument. */
  parameter(dtype: number, shape: readonly number[]): Reference {
    const reference = { node: `argument${this.parameters.length}`, position: 0, dtype, shape };
    this.parameters.push(reference);
    return reference;
  }

  /**
   * A new node; type attributes that the caller left to the eager runtime are taken from the inputs.
   *
   * @param shapes those of the outputs, where they are known.
   */
  add(
    name: string,
    inputs: readonly Reference[],
    given: Readonly<Record<string, AttributeValue>> = {},
    shapes: readonly (readonly number[])[] = [],
  ): Reference[] {
    const definition = operation(name);
    const attributes: Record<string, AttributeValue> = { ...given, ...fusion(name, inputs, shapes) };
    let position = 0;
    for (const type of definition.inputs) {
      const [element, count] = [
        type.slice(type.indexOf("*") + 1),
        type.includes("*") ? type.slice(0, type.indexOf("*")) : undefined,
      ];
      const input = inputs[position];
      if (input && !type.startsWith("#") && count !== "" && !(element in attributes)) {
        attributes[element] = { type: input.dtype };
      }
      const length = count ? attributes[count] : undefined;
      position += length && "i" in length ? length.i : 1;
    }
    const node = `n${this.nodes.length}`;
    this.nodes.push({ name: node, operation: name, inputs, attributes, size: shapes[0]?.reduce((a, b) => a * b, 1) });
    const outputs: Reference[] = [];
    for (const output of definition.outputs) {
      outputTypes(output.type, attributes).forEach((dtype, index) => {
        const position = outputs.length;
        outputs.push({ node, position, output: { name: output.name, index }, dtype, shape: shapes[position] });
      });
    }
    return outputs;
  }

  /** {@link add} for operations of one output. */
  one(
    name: string,
    inputs: readonly Reference[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    shape?: readonly number[],
  ): Reference {
    return this.add(name, inputs, attributes, shape && [shape])[0] as Reference;
  }

  /** The same numbers in another shape; a reshaped reshape is one. */
  reshape(input: Reference, shape: readonly number[]): Reference {
    const before = this.#reshaped.get(input) ?? input;
    if (before.shape && sameShape(before.shape, shape)) return before;
    const result = this.one("Reshape", [before, this.integers(shape)], {}, shape);
    this.#reshaped.set(result, before);
    return result;
  }

  /** A constant of the given elements, held as one number where all are equal. */
  constant(dtype: number, shape: readonly number[], values: ArrayLike<number>): Reference {
    const node = `n${this.nodes.length}`;
    const tensor = { dtype, tensorShape: shapeValue(shape), ...contents(dtype, values) };
    this.nodes.push({
      name: node,
      operation: "Const",
      inputs: [],
      attributes: { dtype: { type: dtype }, value: { tensor } },
    });
    return { node, position: 0, output: { name: "output", index: 0 }, dtype, shape };
  }

  /** An int32 constant: a scalar, or a vector such as a shape. */
  integers(values: number | readonly number[]): Reference {
    return typeof values === "number"
      ? this.constant(dataTypes.int32, [], [values])
      : this.constant(dataTypes.int32, [values.length], values);
  }
}

/** A shape in the words of TensorFlow's message. */
export function shapeValue(shape: readonly number[]): ShapeValue {
  return { dim: shape.map((size) => ({ size })) };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function outputTypes(type: string, attributes: Readonly<Record<string, AttributeValue>>): readonly number[] {
  const attribute = (name: string): AttributeValue | undefined => attributes[name];
  const single = (name: string): number => {
    if (name.startsWith("#")) return Number(name.slice(1));
    const value = attribute(name);
    if (value && "type" in value) return value.type;
    return name === "output_type" ? dataTypes.int64 : name === "index_type" ? dataTypes.int32 : dataTypes.float32;
  };
  if (type.startsWith("*")) {
    const value = attribute(type.slice(1));
    return value && "list" in value ? (value.list.type ?? []) : [];
  }
  const star = type.indexOf("*");
  if (star === -1) return [single(type)];
  const count = attribute(type.slice(0, star));
  return new Array<number>(count && "i" in count ? count.i : 0).fill(single(type.slice(star + 1)));
}

function contents(dtype: number, values: ArrayLike<number>): Partial<TensorValue> {
  const first = values[0];
  const allEqual = values.length > 4 && Array.prototype.every.call(values, (value: number) => Object.is(value, first));
  const array = dtype === dataTypes.float32 ? Float32Array : dtype === dataTypes.int32 ? Int32Array : Uint8Array;
  if (allEqual && dtype === dataTypes.float32) return { floatVal: [first as number] };
  if (allEqual && dtype === dataTypes.int32) return { intVal: [first as number] };
  const typed = dtype === dataTypes.int64 ? BigInt64Array.from(Array.from(values, BigInt)) : array.from(values);
  return { tensorContent: new Uint8Array(typed.buffer) };
}
