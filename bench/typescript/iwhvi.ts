import {
  bernoulli,
  bernoulliLogDensity,
  type Key,
  logMeanExp,
  type MlpParameters,
  mlp,
  normal,
  normalLogDensity,
  softplus,
  split,
  type Tensor,
  type Tensor2D,
  tf,
} from "marginalia";
import { descend, type Sizes, type Workload } from "./workload.js";

const observed = 784;

/** A perceptron of (x, h): its first layer is x A + h B + b, so that what x contributes is computed once for all h. */
type Conditional = { readonly fromX: Tensor2D; readonly tail: MlpParameters };

/** p(x | z), q(ψ | x), q(z | ψ, x) and τ(ψ | z, x). */
export type Hierarchy = {
  readonly decoder: MlpParameters;
  readonly mixing: MlpParameters;
  readonly conditional: Conditional;
  readonly reverse: Conditional;
};

function nets({ width, latent }: Sizes) {
  const activation = "softplus";
  return {
    decoder: mlp({ sizes: [latent, width, width, observed], activation }),
    mixing: mlp({ sizes: [observed, width, width, 2 * latent], activation }),
    tail: mlp({ sizes: [latent, width, width, 2 * latent], activation }),
  };
}

/**
 * Importance-weighted hierarchical variational inference of a Bernoulli decoder, one draw of z: the loss
 * −Σ_b log p(x, z) + log (1/(K+1)) Σ_{k=0…K} q(z | ψ_k, x) q(ψ_k | x) / τ(ψ_k | z, x), ψ_0 and z from q, ψ_1…ψ_K from τ.
 *
 * Gradients are pathwise throughout (the paper's code takes the doubly reparameterised one for τ, which costs the same).
 * Source: Sobolev & Vetrov 2019, section 3.
 */
export const iwhvi: Workload<Hierarchy, { readonly x: Tensor2D }> = {
  sizes: { batch: 256, K: 5, width: 300, latent: 32 },
  init: (sizes, key) => {
    const { decoder, mixing, tail } = nets(sizes);
    const [k1, k2, k3, k4, x] = split(key, 5);
    return {
      parameters: {
        decoder: decoder.init(k1),
        mixing: calm(mixing.init(k2)),
        conditional: initConditional(sizes, tail.init, k3),
        reverse: initConditional(sizes, tail.init, k4),
      },
      data: { x: tf.tidy(() => bernoulli(x, tf.fill([sizes.batch, observed], 0.3)) as Tensor2D) },
    };
  },
  noise: ({ batch, K, latent }, key) => {
    const [psi, z, tau] = split(key, 3);
    return { psi: normal(psi, [batch, latent]), z: normal(z, [batch, latent]), tau: normal(tau, [K, batch, latent]) };
  },
  step: (sizes) => {
    const { decoder, mixing } = nets(sizes);
    return descend(({ data: { x }, key }) => {
      const noise = iwhvi.noise(sizes, key);
      return ({ decoder: theta, ...phi }) => {
        const qPsi = gaussian(mixing.apply(phi.mixing, x));
        const psi0 = draw(qPsi, noise.psi);
        const seenByZ = tf.matMul(x, phi.conditional.fromX); // [B, width], the same for every ψ
        const z = draw(gaussian(conditional(phi.conditional, seenByZ, psi0)), noise.z);
        const tau = gaussian(conditional(phi.reverse, tf.matMul(x, phi.reverse.fromX), z));
        const psi = tf.concat([tf.expandDims(psi0, 0), draw(tau, noise.tau)]); // [K + 1, B, D]
        const qZ = gaussian(conditional(phi.conditional, seenByZ, psi));
        const ratio = tf.sub(tf.add(logDensity(z, qZ), logDensity(psi, qPsi)), logDensity(psi, tau));
        const logP = tf.add(normalLogDensity(z, 0, 1, 1), bernoulliLogDensity(x, decoder.apply(theta, z), 1));
        return tf.sum(tf.sub(logMeanExp(ratio, 0), logP));
      };
    });
  },
};

function initConditional({ width }: Sizes, initTail: (key: Key) => MlpParameters, key: Key): Conditional {
  const [fromX, tail] = split(key);
  const first = mlp({ sizes: [observed, width], activation: "softplus" }).init(fromX).layers[0];
  first.bias.dispose(); // the tail's first layer has one
  return { fromX: first.weights, tail: calm(initTail(tail)) };
}

/** A tenth of the last layer's weights: the Gaussians start near N(0, I), where three of them on top of each other stay finite. */
function calm({ layers }: MlpParameters): MlpParameters {
  const { weights, bias } = layers[layers.length - 1];
  const smaller = tf.mul(weights, 0.1) as Tensor2D;
  weights.dispose();
  return { layers: [...layers.slice(0, -1), { weights: smaller, bias }] };
}

/** The perceptron's output `[..., B, out]` for x A `[B, width]` and h `[..., B, D]`. */
function conditional({ tail: { layers } }: Conditional, seen: Tensor, h: Tensor): Tensor {
  const [first, ...rest] = layers;
  const { weights, bias } = first;
  const [input, width] = weights.shape;
  const linear = tf.reshape(tf.matMul(tf.reshape(h, [-1, input]), weights), [...h.shape.slice(0, -1), width]);
  const hidden = softplus(tf.add(linear, tf.add(seen, bias)));
  const sizes = [width, ...rest.map(({ bias }) => bias.shape[0])];
  return mlp({ sizes, activation: "softplus" }).apply({ layers: rest }, hidden);
}

type Gaussian = { readonly mean: Tensor; readonly scale: Tensor };

/** Mean and scale from the two halves (μ, log σ) of a perceptron's output. */
function gaussian(output: Tensor): Gaussian {
  const [mean, logScale] = tf.split(output, 2, -1);
  return { mean, scale: tf.exp(logScale) };
}

function draw({ mean, scale }: Gaussian, epsilon: Tensor): Tensor {
  return tf.add(mean, tf.mul(scale, epsilon));
}

function logDensity(x: Tensor, { mean, scale }: Gaussian): Tensor {
  return normalLogDensity(x, mean, scale, 1);
}
