import * as library from "marginalia";
import type { Step } from "./workload.js";

/** The library's `compile`: a step recorded once and replayed as one call. */
export type Compile = <I, O>(step: (inputs: I) => O) => ((inputs: I) => O) & { dispose(): void };

/** Present as soon as the library exports it. */
export const compile: Compile | undefined = (library as { compile?: Compile }).compile;

/** The ways in which this library runs a step. */
export const variants: Readonly<Record<string, (step: Step) => Step & { dispose?(): void }>> = {
  eager: (step) => step,
  ...(compile && { compiled: compile as (step: Step) => Step & { dispose(): void } }),
};
