import { Bernoulli } from "../distributions/bernoulli.js";
import { Independent } from "../distributions/independent.js";
import { Normal } from "../distributions/normal.js";
import type { Parameters } from "../engine/parameters.js";
import type { Key } from "../engine/random.js";
import { type Tensor, type Tensor2D, tf } from "../engine/tf.js";
import type { Hierarchy } from "../families/hierarchicalFamily.js";
import type { ReverseConditional } from "../families/reverseConditional.js";
import type { MlpParameters } from "../models/mlp.js";
import type { ConditionalPosterior } from "../models/problem.js";
import type { Vae } from "../models/vae.js";

/**
 * An encoder q(z | x) as the auxiliary of the *model's* hierarchy p(x) = ∫ p(x | z) p(z) dz, where x stands in z's place and z in ψ's.
 *
 * τ(z | x) = q(z | x; φ), for x `[M, B, P]`: each of the M · B simulated data is one row to the encoder. What `logEvidenceBounds` takes.
 */
export function encoderReverse<Phi extends Parameters>(
  family: ConditionalPosterior<Phi> & { init(key: Key): Phi },
): ReverseConditional<Phi> {
  return {
    reparameterised: true,
    init: (key) => family.init(key),
    given: (phi, { z: x }) => {
      const [latents, batch, observed] = x.shape;
      const encoded = family.distribution(phi, tf.reshape(x, [latents * batch, observed]) as Tensor2D);
      const size = family.dimension;
      return {
        sample: (key, draws) => tf.tidy(() => tf.reshape(encoded.sample(key, [draws]), [draws, latents, batch, size])),
        logProb: (z) =>
          tf.tidy(() =>
            tf.reshape(encoded.logProb(tf.reshape(z, [z.shape[0], latents * batch, size])), z.shape.slice(0, 3)),
          ),
      };
    },
  };
}

/**
 * A variational autoencoder's generative half as a hierarchy of x: z ~ N(0, I) as the mixing law, x | z ~ ∏ Bernoulli(MLP(z)) as the conditional.
 *
 * Its draws are simulated data with their true latents, `[M, 1, P]` and `[M, 1, D]`. To be made and used inside one `tf.tidy`.
 */
export function vaeHierarchy(model: Pick<Vae, "dimension" | "logits">, theta: MlpParameters): Hierarchy {
  const standard = new Normal({ mean: tf.zeros([1, model.dimension]), scale: 1 });
  return {
    mixing: new Independent({ base: standard, eventRank: 1 }),
    conditional: (z: Tensor) =>
      new Independent({ base: new Bernoulli({ logits: model.logits(theta, z) }), eventRank: 1 }),
  };
}
