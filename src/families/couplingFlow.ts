import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import { Transformed } from "../distributions/transformed.js";
import { split } from "../engine/random.js";
import { type Tensor1D, tf } from "../engine/tf.js";
import { type Activation, type MlpParameters, mlp, withConstantOutput } from "../models/mlp.js";
import { exp } from "../ops/exp.js";
import { tanh } from "../ops/tanh.js";
import { affineCoupling } from "../transforms/affineCoupling.js";
import { chained } from "../transforms/chained.js";
import { checkSize, type Family } from "./family.js";
import { type MeanFieldParameters, meanFieldGaussian } from "./meanFieldGaussian.js";

/** Parameters of {@link couplingFlow}. */
export type CouplingFlowParameters = {
  /** The mean-field Gaussian that the couplings bend. */
  readonly base: MeanFieldParameters;
  /** A network for each coupling. */
  readonly couplings: readonly MlpParameters[];
};

/** Options of {@link couplingFlow}. */
export interface CouplingFlowOptions {
  /** D ≥ 2. */
  readonly dimension: number;
  /** How many couplings, which move one half of the entries and the other by turns. Default 4. */
  readonly couplings?: number;
  /** Sizes of the hidden layers of each coupling's network. Default [16]. */
  readonly hidden?: readonly number[];
  /** Default "tanh". */
  readonly activation?: Activation;
  /** Standard deviation at the start. Default 1. */
  readonly initialScale?: number;
}

/** No coupling scales by more than exp of this, or by less than exp of its negative: what is learnt can be inverted in float32. */
const mostLogScale = 2;

/**
 * A normalising flow: q(z; φ) is the law of z = f_C ∘ … ∘ f_1(x), x a mean-field Gaussian and each f an affine coupling whose log-scale (within ±2, by tanh) and shift come from a
 * perceptron of the entries that it keeps.
 *
 * It starts as the mean-field Gaussian: the networks' last layers start at 0. Batch `[1]`; reparameterised; mean and variance have no closed form.
 *
 * @throws Error if D is no integer of at least 2, another size is not a positive integer, or `initialScale` is not positive.
 * Source: Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP".
 */
export function couplingFlow(options: CouplingFlowOptions): Family<CouplingFlowParameters> {
  const { dimension, couplings = 4, hidden = [16], activation = "tanh", initialScale = 1 } = options;
  checkSize("couplingFlow: dimension", dimension);
  checkSize("couplingFlow: couplings", couplings);
  if (dimension < 2)
    throw new Error("couplingFlow: a coupling moves some entries by the others and needs dimension ≥ 2, not 1.");
  const base = meanFieldGaussian({ dimension, initialScale });
  const half = Math.floor(dimension / 2);
  const layers = Array.from({ length: couplings }, (_, c) => {
    const moves: "first" | "last" = c % 2 === 0 ? "last" : "first";
    const moved = moves === "first" ? half : dimension - half;
    return { moves, moved, network: mlp({ sizes: [dimension - moved, ...hidden, 2 * moved], activation }) };
  });
  return {
    dimension,
    init: (key) => {
      const [centre, ...others] = split(key, couplings + 1);
      return {
        base: base.init(centre!),
        couplings: layers.map(({ network, moved }, c) =>
          withConstantOutput(network.init(others[c]!), tf.zeros([2 * moved]) as Tensor1D),
        ),
      };
    },
    distribution: (phi) => {
      const maps = layers.map(({ moves, network }, c) =>
        affineCoupling({
          dimension,
          moves,
          given: (kept) => {
            const [raw, shift] = tf.split(network.apply(phi.couplings[c]!, kept), 2, -1);
            return { logScale: tf.mul(mostLogScale, tanh(tf.div(raw!, mostLogScale))), shift: shift! };
          },
        }),
      );
      const { mean, logScale } = phi.base;
      const law = new Independent({ base: new Normal({ mean, scale: exp(logScale) }), eventRank: 1 });
      return new Transformed({ base: law, bijection: chained(maps) });
    },
  };
}
