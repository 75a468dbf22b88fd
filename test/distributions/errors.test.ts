import { beforeAll, expect, test } from "vitest";
import { Bernoulli } from "../../src/distributions/bernoulli.js";
import { Beta } from "../../src/distributions/beta.js";
import { Categorical } from "../../src/distributions/categorical.js";
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
import { tf } from "../../src/engine/tf.js";

beforeAll(async () => {
  await ready();
});

const standard = (...shape: number[]): Normal => new Normal({ mean: tf.zeros(shape), scale: 1 });

test.each<[string, () => unknown, RegExp]>([
  ["a scale of 0", () => new Normal({ mean: 0, scale: 0 }), /Normal: scale must be positive and finite, not 0/],
  ["a scale of NaN", () => new Laplace({ location: 0, scale: Number.NaN }), /Laplace: scale must be positive/],
  [
    "a mean of NaN",
    () => new Normal({ mean: Number.NaN, scale: 1 }),
    /Normal: mean must be a float32 tensor or a number, not NaN/,
  ],
  ["an int32 mean", () => new Normal({ mean: tf.tensor1d([1], "int32"), scale: 1 }), /not a tensor of int32/],
  [
    "shapes that do not broadcast",
    () => new Normal({ mean: tf.zeros([2]), scale: tf.ones([3]) }),
    /mean \[2\] and scale \[3\]/,
  ],
  ["x that does not broadcast", () => standard(2).logProb(tf.zeros([3])), /x \[3\] and mean \[2\]/],
  ["an empty interval", () => new Uniform({ low: 1, high: 1 }), /low \(1\) must be less than high \(1\)/],
  ["scalar logits", () => new Categorical({ logits: tf.scalar(1) }), /\[\.\.\., K\]/],
  [
    "int32 logits",
    () => new Bernoulli({ logits: tf.tensor1d([1], "int32") }),
    /Bernoulli: logits must be a float32 tensor/,
  ],
  [
    "too many event dimensions",
    () => new Independent({ base: standard(2), eventRank: 2 }),
    /eventRank must be an integer from 0 to the 1 batch/,
  ],
  [
    "an event of another size",
    () => new Independent({ base: standard(2), eventRank: 1 }).logProb(tf.zeros([3])),
    /must end in the event shape \[2\]/,
  ],
  [
    "a scale matrix of another size",
    () => new MultivariateNormal({ mean: tf.zeros([2]), scaleTril: tf.eye(3) }),
    /scaleTril has the shape \[3, 3\], but needs \[\.\.\., 2, 2\]/,
  ],
  [
    "batches that do not broadcast",
    () => new MultivariateNormal({ mean: tf.zeros([3, 2]), scaleTril: tf.zeros([4, 2, 2]) }),
    /batches of mean \[3, 2\] and scaleTril \[4, 2, 2\]/,
  ],
  [
    "a scalar as a vector",
    () => new MultivariateNormal({ mean: tf.zeros([2]), scaleTril: tf.eye(2) }).logProb(tf.scalar(0)),
    /must end in the event shape \[2\]/,
  ],
  ["no components", () => new Mixture({ weights: [], components: [] }), /list of components is empty/],
  [
    "unlike components",
    () => new Mixture({ weights: [1, 1], components: [standard(2), standard(3)] }),
    /same batch shape/,
  ],
  ["components nobody counts", () => new Mixture({ weights: [1], components: standard() }), /last batch dimension/],
  [
    "a negative weight",
    () => new Mixture({ weights: [1, -1], components: standard(2) }),
    /non-negative, finite and not all 0, not \[1, -1\]/,
  ],
  ["weights that are all 0", () => new Mixture({ weights: [0, 0], components: standard(2) }), /not all 0/],
  [
    "too few weights",
    () => new Mixture({ weights: [1], components: standard(2) }),
    /the weights have the shape \[1\], but need \[2\]/,
  ],
  [
    "the entropy of a mixture",
    () => new Mixture({ weights: [1, 1], components: standard(2) }).entropy(),
    /no closed form/,
  ],
  [
    "a divergence without closed form",
    () => klDivergence(standard(), new Laplace({ location: 0, scale: 1 })),
    /no closed form for Normal against Laplace/,
  ],
  [
    "a divergence between different spaces",
    () => klDivergence(new Independent({ base: standard(2), eventRank: 1 }), standard(2)),
    /event shapes \[2\] and \[\] differ/,
  ],
  ["a concentration of 0", () => new Gamma({ concentration: 0, rate: 1 }), /Gamma: concentration must be positive/],
  ["a negative rate", () => new LogGamma({ concentration: 1, rate: -1 }), /LogGamma: rate must be positive and finite/],
  ["a log-normal scale of 0", () => new LogNormal({ mean: 0, scale: 0 }), /LogNormal: scale must be positive/],
  ["a logit-normal mean of NaN", () => new LogitNormal({ mean: Number.NaN, scale: 1 }), /LogitNormal: mean must be/],
  ["an infinite b", () => new Beta({ a: 1, b: Number.POSITIVE_INFINITY }), /Beta: b must be positive and finite/],
  [
    "an inverse Gaussian shape of 0",
    () => new InverseGaussian({ mean: 1, shape: 0 }),
    /InverseGaussian: shape must be/,
  ],
  [
    "the entropy of an inverse Gaussian",
    () => new InverseGaussian({ mean: 1, shape: 1 }).entropy(),
    /exponential integral; average/,
  ],
  ["a rate of 0", () => new Poisson({ rate: 0 }), /Poisson: rate must be positive and finite, not 0/],
  ["the entropy of a Poisson law", () => new Poisson({ rate: 1 }).entropy(), /no closed form; average/],
  [
    "a concentration that does not broadcast",
    () => new NegativeBinomial({ concentration: tf.ones([2]), logits: tf.ones([3]) }),
    /concentration \[2\] and logits \[3\]/,
  ],
  [
    "the entropy of a negative binomial law",
    () => new NegativeBinomial({ concentration: 1, logits: 0 }).entropy(),
    /no closed form; average/,
  ],
  ["counts that do not broadcast", () => new Poisson({ rate: tf.ones([2]) }).logProb(tf.ones([3])), /n \[3\] and rate/],
  ["no parts", () => new Stacked({ parts: [] }), /list of parts is empty/],
  [
    "a part that is a vector",
    () => new Stacked({ parts: [new Independent({ base: standard(2), eventRank: 1 })] }),
    /part 0 has the event shape \[2\], but needs \[\]/,
  ],
  ["parts of unlike batches", () => new Stacked({ parts: [standard(2), standard(3)] }), /part 1 has the batch shape/],
  [
    "a stacked event of another size",
    () => new Stacked({ parts: [standard(), standard()] }).logProb(tf.zeros([3])),
    /must end in the event shape \[2\]/,
  ],
])("%s is named in one sentence", (_, act, message) => {
  expect(act).toThrow(message);
});
