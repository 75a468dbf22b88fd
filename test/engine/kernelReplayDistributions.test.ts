import { beforeAll, describe, test } from "vitest";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Beta } from "../../src/distributions/beta.js";
import { Categorical } from "../../src/distributions/categorical.js";
import type { Distribution } from "../../src/distributions/distribution.js";
import { Gamma } from "../../src/distributions/gamma.js";
import { Independent } from "../../src/distributions/independent.js";
import { InverseGaussian } from "../../src/distributions/inverseGaussian.js";
import { klDivergence } from "../../src/distributions/kl.js";
import { Laplace } from "../../src/distributions/laplace.js";
import { LogGamma } from "../../src/distributions/logGamma.js";
import { LogitNormal } from "../../src/distributions/logitNormal.js";
import { LogNormal } from "../../src/distributions/logNormal.js";
import { Mixture } from "../../src/distributions/mixture.js";
import { MultivariateNormal } from "../../src/distributions/multivariateNormal.js";
import { NegativeBinomial } from "../../src/distributions/negativeBinomial.js";
import { Normal } from "../../src/distributions/normal.js";
import { Poisson } from "../../src/distributions/poisson.js";
import { Stacked } from "../../src/distributions/stacked.js";
import { Uniform } from "../../src/distributions/uniform.js";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import type { Operation } from "../ops/support.js";
import { expectSameBits, kernelBackends, shifted, type TensorStep, withGradient } from "./kernelReplaySupport.js";

const line = (): Tensor => tf.tensor1d([-1.7, -0.4, 0.3, 1.1, 2.6]);
const scales = (): Tensor => tf.tensor1d([0.4, 0.9, 1.6, 3.2, 0.7]);
const table = (): Tensor =>
  tf.tensor2d([
    [0.3, -1.2, 0.8, 0.2, -2],
    [1.5, 0.1, -0.6, 3, 0.4],
  ]);

const distributions: readonly {
  name: string;
  make: (...parameters: Tensor[]) => Distribution;
  parameters: () => Tensor[];
  withoutEntropy?: true;
}[] = [
  {
    name: "Normal",
    make: (mean, scale) => new Normal({ mean: mean!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  {
    name: "Independent",
    make: (mean, scale) => new Independent({ base: new Normal({ mean: mean!, scale: scale! }), eventRank: 1 }),
    parameters: () => [table(), scales()],
  },
  {
    name: "Laplace",
    make: (location, scale) => new Laplace({ location: location!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  { name: "Uniform", make: (low) => new Uniform({ low: low!, high: 4 }), parameters: () => [line()] },
  { name: "Bernoulli", make: (logits) => new Bernoulli({ logits: logits! }), parameters: () => [line()] },
  {
    name: "Categorical",
    make: (logits) => new Categorical({ logits: tf.square(logits!) }),
    parameters: () => [table()],
  },
  {
    name: "MultivariateNormal",
    make: (mean, scaleTril) => new MultivariateNormal({ mean: mean!, scaleTril: scaleTril! }),
    parameters: () => [
      tf.tensor1d([0.1, 0.2]),
      tf.tensor2d([
        [1.2, 0],
        [0.4, 0.9],
      ]),
    ],
  },
  {
    name: "Mixture",
    make: (logits, mean) =>
      new Mixture({ logits: tf.square(logits!), components: new Normal({ mean: mean!, scale: 0.5 }) }),
    parameters: () => [line(), line()],
    withoutEntropy: true,
  },
  {
    name: "Gamma",
    make: (concentration) => new Gamma({ concentration: concentration!, rate: tf.exp(concentration!) }),
    parameters: () => [scales()],
  },
  {
    name: "LogGamma",
    make: (concentration, rate) => new LogGamma({ concentration: concentration!, rate: rate! }),
    parameters: () => [scales(), scales()],
  },
  {
    name: "LogNormal",
    make: (mean, scale) => new LogNormal({ mean: mean!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  {
    name: "LogitNormal",
    make: (mean, scale) => new LogitNormal({ mean: mean!, scale: scale! }),
    parameters: () => [line(), scales()],
  },
  { name: "Beta", make: (a, b) => new Beta({ a: a!, b: b! }), parameters: () => [scales(), scales()] },
  {
    name: "InverseGaussian",
    make: (mean, shape) => new InverseGaussian({ mean: mean!, shape: shape! }),
    parameters: () => [scales(), scales()],
    withoutEntropy: true,
  },
  { name: "Poisson", make: (rate) => new Poisson({ rate: rate! }), parameters: () => [scales()], withoutEntropy: true },
  {
    name: "NegativeBinomial",
    make: (concentration, logits) => new NegativeBinomial({ concentration: concentration!, logits: logits! }),
    parameters: () => [scales(), line()],
    withoutEntropy: true,
  },
  {
    name: "Stacked",
    make: (mean, scale) =>
      new Stacked({ parts: [new Normal({ mean: mean!, scale: 1 }), new LogNormal({ mean: mean!, scale: scale! })] }),
    parameters: () => [line(), scales()],
  },
];

/** Draws, their log-density, the gradient of both in the parameters, and every moment. */
function everythingOf(
  make: (...parameters: Tensor[]) => Distribution,
  { withoutEntropy = false }: { readonly withoutEntropy?: boolean | undefined },
): TensorStep {
  return (parameters, [key]) => {
    const q = make(...parameters);
    const x = q.sample(key!, [3]);
    const { value, gradient } = valueAndGradient(
      ({ list }) => {
        const moving = make(...list);
        const drawn = tf.cast(moving.sample(key!, [3]), "float32");
        return tf.add(tf.sum(tf.mul(drawn, drawn)), tf.sum(moving.logProb(x)));
      },
      { list: parameters },
    );
    const entropy = withoutEntropy ? [] : [q.entropy()];
    return [x, q.logProb(x), q.mean(), q.variance(), ...entropy, value, ...gradient.list];
  };
}

describe.each(kernelBackends)("a replay has the bits of the step itself on %s", (backend) => {
  beforeAll(() => ready({ backend }));

  test.each(distributions)("$name: draws, density, gradients, moments", ({ make, parameters, withoutEntropy }) => {
    expectSameBits(everythingOf(make, { withoutEntropy }), shifted(parameters));
  });

  test("the divergence of two normals and its gradient", () => {
    const divergence: Operation = (mean, scale, other) =>
      klDivergence(new Normal({ mean: mean!, scale: scale! }), new Normal({ mean: other!, scale: 1.5 }));
    expectSameBits(
      withGradient(divergence),
      shifted(() => [line(), scales(), line()]),
    );
  });
});
