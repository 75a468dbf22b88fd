import { foldIn, type Key, leaves, mapParameters, type Parameters, randomKey, type Tensor, tf } from "marginalia";
import { readContainer, writeContainer } from "./container.js";
import { optimizer, type Sizes, type State, type Workload } from "./workload.js";
import { workloads } from "./workloads.js";

/** Steps over which the frameworks are compared. */
export const checkedSteps = 3;

const startKey = randomKey("benchmark: start");

/** The key that the steps' keys are folded from. */
export const stepsKey = randomKey("benchmark: steps");

/** The key of a step. */
export function stepKey(step: number): Key {
  return foldIn(stepsKey, step);
}

/** Writes where a workload starts, for all frameworks: its parameters, its data, and what its first steps draw here. */
export function writeStart(file: string, name: string, given: Sizes): void {
  const workload = workloads[name];
  const sizes = { ...workload.sizes, ...given };
  const { parameters, data } = workload.init(sizes, startKey);
  const noise = Array.from({ length: checkedSteps }, (_, step) => workload.noise(sizes, stepKey(step)));
  const record = { parameters, data, noise: noise as Parameters[] };
  const tensors = Object.fromEntries(leaves(record).map(({ path, tensor }) => [path, tensor]));
  writeContainer(file, { tensors, metadata: { workload: name, sizes: JSON.stringify(sizes) } });
  tf.dispose(Object.values(tensors));
}

/** A workload at its start. */
export interface Start {
  readonly workload: Workload;
  readonly sizes: Sizes;
  readonly state: State;
  readonly data: Parameters;
}

/** Reads what {@link writeStart} wrote. */
export function readStart(file: string): Start {
  const { tensors, metadata } = readContainer(file);
  const workload = workloads[metadata.workload];
  const sizes = JSON.parse(metadata.sizes) as Sizes;
  // The record's structure is that of a new one.
  const { parameters: like, data: dataLike } = workload.init(sizes, startKey);
  const take = (prefix: string, record: Parameters): Parameters =>
    mapParameters(record, (tensor, path) => {
      tensor.dispose();
      return tensors[`${prefix}.${path}`] as Tensor;
    });
  const parameters = take("parameters", like);
  const data = take("data", dataLike);
  for (const [name, tensor] of Object.entries(tensors)) if (name.startsWith("noise.")) tensor.dispose();
  return { workload, sizes, data, state: { parameters, optimizer: optimizer.init(parameters) } };
}
