import { readFileSync, writeFileSync } from "node:fs";
import { type Tensor, tf } from "marginalia";

/** Named tensors and a record of text: the content of a safetensors file. */
export interface Container {
  readonly tensors: { readonly [name: string]: Tensor };
  readonly metadata: { readonly [name: string]: string };
}

type Entry = { readonly dtype: "F32"; readonly shape: number[]; readonly data_offsets: [number, number] };

/** Writes float32 tensors as a safetensors file: the length of a JSON header, the header, the numbers. */
export function writeContainer(file: string, { tensors, metadata }: Container): void {
  let end = 0;
  const numbers = Object.values(tensors).map((tensor) => Buffer.from(Float32Array.from(tensor.dataSync()).buffer));
  const entries = Object.entries(tensors).map(([name, { shape }], i): [string, Entry] => {
    const begin = end;
    end += numbers[i].length;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(file, Buffer.concat([length, header, ...numbers]));
}

/** Reads what {@link writeContainer} wrote. */
export function readContainer(file: string): Container {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.subarray(8, start).toString()) as {
    __metadata__: Container["metadata"];
  } & Record<string, Entry>;
  const tensors = Object.entries(entries as Record<string, Entry>).map(
    ([
      name,
      {
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const copy = Uint8Array.from(bytes.subarray(start + from, start + to));
      return [name, tf.tensor(new Float32Array(copy.buffer), shape)] as const;
    },
  );
  return { tensors: Object.fromEntries(tensors), metadata };
}
