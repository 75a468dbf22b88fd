import {
  amortisedGaussian,
  type Bound,
  bernoulli,
  elbo,
  iwae as iwaeBound,
  latentVariableProblem,
  type MlpParameters,
  normal,
  type Scalar,
  split,
  type Tensor2D,
  tf,
  vae as vaeModel,
  variationalStep,
} from "marginalia";
import { optimizer, type Sizes, tidied, type Workload } from "./workload.js";

/** Decoder θ and encoder φ. */
export type Autoencoder = { readonly theta: MlpParameters; readonly phi: MlpParameters };

const observed = 784;

/** An importance-weighted autoencoder 784-width-width-latent with tanh, by the library's own `variationalStep`. */
function autoencoder(bound: Bound, sizes: Sizes): Workload<Autoencoder, { readonly x: Tensor2D }> {
  const parts = ({ width, latent }: Sizes) => ({
    model: vaeModel({ latent, observed, hidden: [width, width] }),
    family: amortisedGaussian({ latent, observed, hidden: [width, width] }),
  });
  return {
    sizes,
    gradientSign: -1,
    init: (sizes, key) => {
      const { model, family } = parts(sizes);
      const [theta, phi, x] = split(key, 3);
      const bits = tf.tidy(() => bernoulli(x, tf.fill([sizes.batch, observed], 0.3)) as Tensor2D);
      return { parameters: { theta: model.init(theta), phi: family.init(phi) }, data: { x: bits } };
    },
    // The problem hands the first of its key's children to q, whose draws are μ + σε.
    noise: ({ k, batch, latent }, key) => ({ epsilon: normal(split(key)[0], [k, batch, latent]) }),
    step: (sizes) => {
      const method = { bound, samples: sizes.k, optimizer };
      return ({ state: { parameters, optimizer: state }, data: { x }, key }) =>
        tidied(() => {
          const problem = latentVariableProblem({ ...parts(sizes), x, scale: 1 });
          const next = variationalStep(method, { problem, state: { ...parameters, optimizer: state }, key, step: 0 });
          const { theta, phi, optimizer: nextState } = next.state;
          return {
            state: { parameters: { theta, phi }, optimizer: nextState },
            loss: tf.neg(tf.sum(next.value)) as Scalar,
          };
        });
    },
  };
}

/** L_k = E log (1/k) Σ w, summed over the batch. Source: Burda, Grosse & Salakhutdinov 2016, eq. 8. */
export const iwae = autoencoder(iwaeBound, { batch: 20, k: 50, width: 200, latent: 50 });

/** The evidence lower bound from one sample, summed over the batch. Source: Kingma & Welling 2014. */
export const vae = autoencoder(elbo, { batch: 100, k: 1, width: 200, latent: 50 });
