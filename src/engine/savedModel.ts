import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import protobuf from "protobufjs/light.js";
import { type Graph, type GraphNode, type Reference, shapeValue } from "./graph.js";

/** The messages of TensorFlow's graph format that a compiled step needs, by field number. */
const messages = {
  Dim: { size: "int64 1" },
  Shape: { dim: "[Dim] 2" },
  Tensor: {
    dtype: "int32 1",
    tensorShape: "Shape 2",
    tensorContent: "bytes 4",
    floatVal: "[float] 5",
    intVal: "[int32] 7",
    boolVal: "[bool] 11",
  },
  Func: { name: "string 1" },
  List: { s: "[bytes] 2", i: "[int64] 3", f: "[float] 4", b: "[bool] 5", type: "[int32] 6" },
  Attribute: {
    list: "List 1",
    s: "bytes 2",
    i: "int64 3",
    f: "float 4",
    b: "bool 5",
    type: "int32 6",
    shape: "Shape 7",
    tensor: "Tensor 8",
    func: "Func 10",
  },
  Node: { name: "string 1", op: "string 2", input: "[string] 3", attr: "{Attribute} 5" },
  Versions: { producer: "int32 1" },
  Argument: { name: "string 1", type: "int32 3" },
  Signature: { name: "string 1", inputArg: "[Argument] 2", outputArg: "[Argument] 3" },
  Function: { signature: "Signature 1", nodeDef: "[Node] 3", ret: "{string} 4", attr: "{Attribute} 5" },
  Library: { function: "[Function] 1" },
  GraphDef: { node: "[Node] 1", library: "Library 2", versions: "Versions 4" },
  Meta: { tags: "[string] 4" },
  MetaGraph: { metaInfoDef: "Meta 1", graphDef: "GraphDef 2" },
  SavedModel: { savedModelSchemaVersion: "int64 1", metaGraphs: "[MetaGraph] 2" },
} as const;

/** The version of the graph format that libtensorflow 2.15 writes. */
const producer = 1482;

let schema: protobuf.Type | undefined;

/** The message type, built on first use: most programs never compile. */
function savedModelType(): protobuf.Type {
  if (schema) return schema;
  const root = new protobuf.Root();
  for (const [name, fields] of Object.entries(messages)) {
    const type = new protobuf.Type(name);
    for (const [field, description] of Object.entries(fields as Record<string, string>)) {
      const [kind, id] = description.split(" ") as [string, string];
      const element = kind.replace(/[[\]{}]/g, "");
      if (kind.startsWith("{")) type.add(new protobuf.MapField(field, Number(id), "string", element));
      else type.add(new protobuf.Field(field, Number(id), element, kind.startsWith("[") ? "repeated" : undefined));
    }
    root.add(type);
  }
  schema = root.lookupType("SavedModel");
  return schema;
}

/** How a graph enters and leaves a session. */
export interface SessionNames {
  /** Comma-separated, in the order of the graph's parameters. */
  readonly inputs: string;
  /** Comma-separated, in the order of its results. */
  readonly outputs: string;
}

/**
 * Writes a graph and the functions that it calls as a SavedModel in a folder of its own, hands that folder to `load`, and removes it.
 *
 * @returns what `load` returned, and the names to feed and fetch.
 */
export function throughSavedModel<T>(
  graph: Graph,
  functions: readonly Graph[],
  load: (folder: string) => T,
): { readonly loaded: T; readonly names: SessionNames } {
  const placeholders = graph.parameters.map(({ node, dtype, shape }) => ({
    name: node,
    op: "Placeholder",
    input: [],
    attr: { dtype: { type: dtype }, shape: { shape: shapeValue(shape) } },
  }));
  const outputs = graph.results.map((result, i) => ({
    name: `result${i}`,
    op: "Identity",
    input: [inGraph(result)],
    attr: { T: { type: result.dtype } },
  }));
  const node = [...placeholders, ...graph.nodes.map((each) => encodeNode(each, inGraph)), ...outputs];
  const graphDef = { node, versions: { producer }, library: { function: functions.map(encodeFunction) } };
  const type = savedModelType();
  const model = { savedModelSchemaVersion: 1, metaGraphs: [{ metaInfoDef: { tags: ["serve"] }, graphDef }] };
  const folder = mkdtempSync(join(tmpdir(), "marginalia-step-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), type.encode(type.fromObject(model)).finish());
    const names = {
      inputs: placeholders.map(({ name }) => name).join(","),
      outputs: outputs.map(({ name }) => name).join(","),
    };
    return { loaded: load(folder), names };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const inGraph = ({ node, position }: Reference): string => (position === 0 ? node : `${node}:${position}`);

const inFunction = ({ node, output }: Reference): string => (output ? `${node}:${output.name}:${output.index}` : node);

function encodeNode(node: GraphNode, name: (reference: Reference) => string): object {
  return { name: node.name, op: node.operation, input: node.inputs.map(name), attr: node.attributes };
}

function encodeFunction(graph: Graph): object {
  const parameters = graph.parameters.map(({ node, dtype }) => ({ name: node, type: dtype }));
  // A function's result may not be one of its arguments by name alone, so each goes through an identity.
  const results = graph.results.map((result, i) => ({ name: `result${i}`, type: result.dtype, result }));
  const identities = results.map(({ name, type, result }) => ({
    name: `identity_${name}`,
    op: "Identity",
    input: [inFunction(result)],
    attr: { T: { type } },
  }));
  return {
    signature: {
      name: graph.name,
      inputArg: parameters,
      outputArg: results.map(({ name, type }) => ({ name, type })),
    },
    nodeDef: [...graph.nodes.map((node) => encodeNode(node, inFunction)), ...identities],
    ret: Object.fromEntries(results.map(({ name }) => [name, `identity_${name}:output:0`])),
    attr: graph.functionAttributes,
  };
}
