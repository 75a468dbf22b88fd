import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { tidied } from "../engine/values.js";
import type { NoParameters } from "../models/problem.js";
import { checkSize, type Family } from "./family.js";

/** Fixed noise: it has no parameters, and one batch entry for each datum, where there are data. */
export interface StandardNormalFamily extends Family<NoParameters> {
  distribution(phi: NoParameters, x?: Tensor2D): Independent<Normal>;
}

/**
 * N(0, I): no parameters, batch `[B]`, event `[D]`; the noise ε that a semi-implicit q pushes through a network.
 *
 * B is the number of data x where they are given, else `batchSize` (default 1).
 *
 * @throws Error if a size is not a positive integer.
 */
export function standardNormal(options: {
  readonly dimension: number;
  readonly batchSize?: number;
}): StandardNormalFamily {
  const { dimension, batchSize = 1 } = options;
  checkSize("standardNormal: dimension", dimension);
  checkSize("standardNormal: batchSize", batchSize);
  return {
    dimension,
    init: () => ({}),
    distribution: (_phi, x) =>
      tidied(
        () =>
          new Independent({
            base: new Normal({ mean: tf.zeros([x ? x.shape[0] : batchSize, dimension]), scale: 1 }),
            eventRank: 1,
          }),
      ),
  };
}
