import { type Tensor3D, tf } from "../../src/engine/tf.js";
import { withFactors } from "../../src/models/factorisedProblem.js";
import { withIndependentSets } from "../../src/models/factorReplacement.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { gaussianCase } from "./support.js";

/** A correlated Gaussian target whose coordinates are replaced one by one. */
export function gaussianFactors(dimension: number) {
  const given = gaussianCase(dimension);
  const problem = withIndependentSets({
    problem: withFactors({
      problem: given.problem,
      factors: (theta, { mean, logScale }, z) => ({
        // All of log p stands under each coordinate: a blanket may hold more than it must.
        logP: tf.mul(tf.expandDims(given.problem.logP(theta, z), 2), tf.ones([dimension])) as Tensor3D,
        logQ: normalLogDensity(z, mean, tf.exp(logScale)) as Tensor3D,
      }),
    }),
    sets: Array.from({ length: dimension }, (_, n) => [n]),
  });
  return { ...given, problem };
}
