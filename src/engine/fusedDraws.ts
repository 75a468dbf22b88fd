import { type AttributeValue, dataTypes, type Graph, type Reference } from "./graph.js";

/** TensorFlow's number of unsigned 64-bit integers, in which its generator takes key and counter. */
const uint64 = 23;
/** TensorFlow's number of the Philox generator. */
const philox = 1;

/** Words of a seed once {@link philoxState} has made a generator's state of it. */
export const stateWords = 4;

/**
 * The state (key and upper half of the counter, two words each) from which libtensorflow's stateless operations draw for a seed: one block
 * of Philox-4x32-10, keyed by constants of the library, of the seed's words extended by their sign.
 */
export function philoxState(first: number, second: number): [number, number, number, number] {
  const sign = (word: number): number => (word | 0) >> 31;
  let [a, b, c, d] = [first | 0, sign(first), second | 0, sign(second)];
  let [k, l] = [0x3ec8f720, 0x02461e29];
  for (let round = 0; round < 10; round++) {
    const [highA, highC] = [multiplyHigh(0xd2511f53, a), multiplyHigh(0xcd9e8d57, c)];
    [a, b, c, d] = [highC ^ b ^ k, Math.imul(0xcd9e8d57, c), highA ^ d ^ l, Math.imul(0xd2511f53, a)];
    k = (k + 0x9e3779b9) | 0;
    l = (l + 0xbb67ae85) | 0;
  }
  return [a | 0, b | 0, c | 0, d | 0];
}

/** {@link philoxState} of seeds that stand one after another. */
export function philoxStates(seeds: Int32Array): Int32Array {
  const states = new Int32Array(2 * seeds.length);
  for (let i = 0; i < seeds.length; i += 2) states.set(philoxState(seeds[i]!, seeds[i + 1]!), 2 * i);
  return states;
}

/** The upper 32 bits of a product of unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const low = (middle & 0xffff) + a0 * b1;
  return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(low / 0x10000)) | 0;
}

/**
 * A draw in operations that XLA fuses, with the numbers that libtensorflow's own kernel gives for the seed; nothing for draws that XLA
 * cannot make.
 *
 * XLA's own versions of these operations make other numbers of the same bits. So the bits are taken from it, which are the same, and the
 * numbers made here as the kernel does: 23 bits a uniform, two of them two normals by Box and Muller.
 *
 * @param state the seed's {@link philoxState}, int32 `[4]`.
 */
export function fusedDraw(
  graph: Graph,
  name: string,
  state: Reference,
  shape: readonly number[],
): Reference | undefined {
  const size = shape.reduce((product, length) => product * length, 1);
  switch (name) {
    case "StatelessRandomUniformFullInt":
      return graph.reshape(bits(graph, state, size), shape);
    case "StatelessRandomUniform":
      return graph.reshape(unitUniform(graph, bits(graph, state, size), [size]), shape);
    case "StatelessRandomNormal": {
      const even = size + (size % 2);
      const flat = boxMuller(graph, unitUniform(graph, bits(graph, state, even), [even / 2, 2]), even);
      const drawn =
        even === size ? flat : graph.one("Slice", [flat, graph.integers([0]), graph.integers([size])], {}, [size]);
      return graph.reshape(drawn, shape);
    }
    default:
      return undefined;
  }
}

function bits(graph: Graph, state: Reference, size: number): Reference {
  const words = graph.one("Reshape", [state, graph.integers([2, 2])]);
  const half = (row: number): Reference =>
    graph.one("Bitcast", [graph.one("Slice", [words, graph.integers([row, 0]), graph.integers([1, 2])])], {
      type: { type: uint64 },
    });
  const low = graph.one("Bitcast", [graph.constant(dataTypes.int32, [1, 2], [0, 0])], { type: { type: uint64 } });
  const counter = graph.one("ConcatV2", [low, half(1), graph.integers(0)], { N: { i: 2 } });
  const dtype: Record<string, AttributeValue> = { dtype: { type: dataTypes.int32 } };
  const inputs = [graph.integers([size]), half(0), counter, graph.integers(philox)];
  return graph.one("StatelessRandomUniformFullIntV2", inputs, dtype, [size]);
}

/** Uniform on [0, 1): the lower 23 bits as a float's fraction. */
function unitUniform(graph: Graph, from: Reference, shape: readonly number[]): Reference {
  const fraction = graph.one("BitwiseAnd", [from, graph.integers(0x7fffff)]);
  const float = graph.one("Bitcast", [graph.one("BitwiseOr", [fraction, graph.integers(0x3f800000)])], {
    type: { type: dataTypes.float32 },
  });
  return graph.reshape(graph.one("Sub", [float, real(graph, 1)], {}, from.shape), shape);
}

function boxMuller(graph: Graph, pairs: Reference, size: number): Reference {
  const column = (at: number): Reference =>
    graph.one("Slice", [pairs, graph.integers([0, at]), graph.integers([size / 2, 1])]);
  const angle = graph.one("Mul", [column(1), real(graph, 2 * Math.PI)]);
  const logarithm = graph.one("Log", [graph.one("Maximum", [column(0), real(graph, 1e-7)])]);
  const radius = graph.one("Sqrt", [graph.one("Mul", [logarithm, real(graph, -2)])]);
  const along = (direction: string): Reference => graph.one("Mul", [graph.one(direction, [angle]), radius]);
  const both = graph.one("ConcatV2", [along("Sin"), along("Cos"), graph.integers(1)], { N: { i: 2 } }, [size / 2, 2]);
  return graph.reshape(both, [size]);
}

function real(graph: Graph, value: number): Reference {
  return graph.constant(dataTypes.float32, [], [value]);
}
