import { createHash } from "node:crypto";
import type { Bound } from "../bounds/bound.js";
import { tf } from "../engine/tf.js";
import type { Gradient } from "../gradients/gradient.js";
import { reparameterised } from "../gradients/reparameterised.js";
import type { Averaging } from "./averaging.js";
import type { Settings } from "./checkpoint.js";
import type { Compilation } from "./compiledSteps.js";
import type { Minibatches } from "./minibatches.js";
import type { Optimizer } from "./optimizer.js";
import type { Timetable } from "./timetable.js";

/** What of a fit can be told by names and numbers. */
export interface Method {
  readonly bound: Bound;
  readonly timetable: Timetable;
  readonly optimizer: Optimizer;
  readonly gradient?: Gradient;
  readonly averaging?: Averaging;
  readonly batches?: Minibatches;
  readonly compile?: Compilation;
}

/** Where a schedule is looked at: two that agree here are taken for the same. */
const probes = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

/**
 * A variational step, its batches and what changes from step to step as settings by name, so that a checkpoint of another method, rate or data set is told from this one.
 * The problem is a function and cannot be compared: name what matters of it in `given`.
 */
export function describeMethod(method: Method, given: Settings = {}): Settings {
  const { bound, timetable, optimizer, gradient = reparameterised, averaging, batches, compile = "graph" } = method;
  return {
    ...given,
    bound: bound.name,
    ...timetable.settings,
    gradient: gradient.name || "without a name",
    optimizer: optimizer.name,
    ...prefixed("optimizer", optimizer.settings ?? {}),
    [`learning rate at the steps ${probes.join(", ")}`]: probes.map(optimizer.schedule).join(", "),
    compile,
    averaging: averaging?.name ?? "none",
    ...prefixed("averaging", averaging?.settings ?? {}),
    "first batch": batches ? firstBatch(batches) : "none",
  };
}

function firstBatch(batches: Minibatches): string {
  const { x, scale, rows } = batches.at(0);
  try {
    const digest = createHash("sha256").update(x.dataSync<"float32">()).digest("hex").slice(0, 16);
    return `[${x.shape.join(", ")}] with the scale ${scale}, sha256 ${digest}`;
  } finally {
    tf.dispose([x, rows]);
  }
}

function prefixed(owner: string, settings: Readonly<Record<string, number>>): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${owner}'s ${name}`, value]));
}
