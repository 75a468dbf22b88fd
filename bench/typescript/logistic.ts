import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  bernoulli,
  bernoulliLogDensity,
  densityProblem,
  elbo,
  type Family,
  fullRankGaussian,
  type GaussianFamilyOptions,
  type Key,
  meanFieldGaussian,
  normal,
  normalLogDensity,
  type Parameters,
  parseCsv,
  type Scalar,
  split,
  type Tensor1D,
  type Tensor2D,
  tf,
  variationalStep,
} from "marginalia";
import { optimizer, tidied, type Workload } from "./workload.js";

/** The design `[N, D]` and the labels `[N]`. */
export type Regression = { readonly design: Tensor2D; readonly labels: Tensor1D };

const [rows, columns] = [400, 22];

/** Gaussian variational inference of a Bayesian logistic regression with the prior N(0, I), by the library's own `variationalStep`. */
function logistic<Phi extends Parameters>(
  familyOf: (options: GaussianFamilyOptions) => Family<Phi>,
): Workload<{ readonly phi: Phi }, Regression> {
  const family = familyOf({ dimension: columns, initialScale: 0.1 });
  return {
    sizes: { S: 100 },
    gradientSign: -1,
    init: (_sizes, key) => {
      const [phi, design] = split(key);
      return { parameters: { phi: family.init(phi) }, data: waveform() ?? simulated(design) };
    },
    noise: ({ S }, key) => ({ epsilon: normal(split(key)[0], [S, columns]) }),
    step: ({ S }) => {
      const method = { bound: elbo, samples: S, optimizer };
      return ({ state, data: { design, labels }, key }) =>
        tidied(() => {
          const problem = densityProblem({
            family,
            logDensity: (z) => {
              const logits = tf.matMul(tf.reshape(z, [S, columns]), design, false, true);
              const logLikelihood = tf.expandDims(bernoulliLogDensity(labels, logits, 1), 1);
              return tf.add(normalLogDensity(z, 0, 1, 1), logLikelihood);
            },
          });
          const from = { theta: {}, phi: state.parameters.phi, optimizer: state.optimizer };
          const next = variationalStep(method, { problem, state: from, key, step: 0 });
          return {
            state: { parameters: { phi: next.state.phi }, optimizer: next.state.optimizer },
            loss: tf.neg(tf.sum(next.value)) as Scalar,
          };
        });
    },
  };
}

export const meanField = logistic(meanFieldGaussian);
export const fullRank = logistic(fullRankGaussian);

/** Breiman's waveform, where the folder that MARGINALIA_DATA names has it. */
function waveform(): Regression | undefined {
  const folder = process.env.MARGINALIA_DATA;
  if (!folder) return undefined;
  const file = join(folder, "bayes-logistic", "waveform-train.csv");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined; // simulated instead, of the same shape
  }
  const table = parseCsv(text, file, { header: true });
  return tidied(() => {
    const all = tf.tensor2d(Float32Array.from(table.values), [table.rows, table.columns]);
    return {
      design: tf.slice(all, [0, 1], [rows, columns]),
      labels: tf.reshape(tf.slice(all, [0, 0], [rows, 1]), [rows]) as Tensor1D,
    };
  });
}

/** A design of the same shape and kind: intercept, standard normal features, labels from coefficients ~ N(0, ¼). */
function simulated(key: Key): Regression {
  return tidied(() => {
    const [features, coefficients, labels] = split(key, 3);
    const design = tf.concat([tf.ones([rows, 1]), normal(features, [rows, columns - 1])], 1) as Tensor2D;
    const logits = tf.matMul(design, tf.mul(normal(coefficients, [columns, 1]), 0.5) as Tensor2D);
    return { design, labels: bernoulli(labels, tf.sigmoid(tf.squeeze(logits))) as Tensor1D };
  });
}
