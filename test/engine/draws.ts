import { beta, dirichlet, gamma, logGamma } from "../../src/engine/gamma.js";
import { poisson } from "../../src/engine/poisson.js";
import {
  bernoulli,
  categorical,
  exponential,
  gumbel,
  type Key,
  normal,
  rademacher,
  uniform,
} from "../../src/engine/random.js";
import { randomPermutation } from "../../src/engine/randomPermutation.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

/** Every draw that a step may make; the parameter is `[2]`, positive and below 4. */
export const draws: readonly { name: string; draw: (key: Key, parameter: Tensor) => Tensor }[] = [
  { name: "normal", draw: (key) => normal(key, [4]) },
  { name: "uniform", draw: (key) => uniform(key, [4], { low: 1, high: 3 }) },
  { name: "exponential", draw: (key) => exponential(key, [4]) },
  { name: "gumbel", draw: (key) => gumbel(key, [4]) },
  { name: "rademacher", draw: (key) => rademacher(key, [40]) },
  { name: "categorical", draw: (key, parameter) => categorical(key, parameter, [40]) },
  { name: "bernoulli", draw: (key, parameter) => bernoulli(key, tf.div(parameter, 4), [20]) },
  { name: "gamma", draw: (key, parameter) => gamma(key, parameter, [4]) },
  { name: "logGamma", draw: (key, parameter) => logGamma(key, parameter, [4]) },
  { name: "beta", draw: (key, parameter) => beta(key, parameter, tf.scalar(2), [4]) },
  { name: "dirichlet", draw: (key, parameter) => dirichlet(key, parameter, [4]) },
  { name: "poisson", draw: (key, parameter) => poisson(key, tf.mul(parameter, 9), [4]) },
  { name: "randomPermutation", draw: (key) => randomPermutation(key, 20) },
];
