import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { leaves, type Parameters } from "../../src/engine/parameters.js";
import { type Key, randomKey } from "../../src/engine/random.js";
import { tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { uivi, uiviProblem } from "../../src/gradients/uivi.js";
import { hierarchicalLatentVariableProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { sivi } from "../../src/marginals/marginal.js";
import {
  hmcReverseSampler,
  importanceReverseSampler,
  type ReverseSampler,
} from "../../src/marginals/reverseSampler.js";
import { vae } from "../../src/models/vae.js";
import { backends, expectClose } from "../engine/support.js";

const family = hierarchical({
  mixing: amortisedGaussian({ latent: 3, observed: 5, hidden: [6] }),
  conditional: gaussianConditional({ latent: 2, mixing: 3, observed: 5, hidden: [6], scale: "network" }),
});
const tau = gaussianReverse({ latent: 2, mixing: 3, observed: 5, hidden: [6] });
const model = vae({ latent: 2, observed: 5, hidden: [4] });
const samplers: readonly ReverseSampler<never>[] = [
  hmcReverseSampler({ burnIn: 1, samples: 2, leapfrogSteps: 2, jitter: 0.1 }) as ReverseSampler<never>,
  importanceReverseSampler({ reverse: tau, samples: 3 }) as ReverseSampler<never>,
];

describe.each(backends)("a UIVI step of an amortised q on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });

  it.each(samplers.map((sampler) => [sampler.name, sampler as ReverseSampler<Parameters>] as const))(
    "replays what eager does, for every parameter of model and q, for each datum: %s",
    (name, reverse) => {
      const x = tf.tensor2d([
        [0, 1, 1, 0, 1],
        [1, 0, 0, 0, 1],
      ]);
      const marginal = sivi({ samples: 2 });
      const hierarchicalProblem = hierarchicalLatentVariableProblem({ model, family, marginal, x, scale: 3 });
      const problem = uiviProblem({ problem: hierarchicalProblem, reverse });
      const theta = model.init(randomKey(1));
      const phi = { ...initialParameters(family, marginal, randomKey(2)), reverse: reverse.init(randomKey(3)) };
      const estimate = (inputs: { theta: typeof theta; phi: typeof phi; key: Key }) =>
        estimateGradient(uivi, { problem, bound: elbo, samples: 4, ...inputs });
      const step = compile(estimate);
      const before = tf.memory().numTensors;
      const eager = estimate({ theta, phi, key: randomKey(4) });
      expect(tf.memory().numTensors - before).toBe(1 + leaves(eager.gradient).length);
      for (const seed of [4, 5]) {
        const [expected, replayed] = [estimate, step].map((run) => run({ theta, phi, key: randomKey(seed) }));
        const values = ({ value, gradient }: typeof eager) =>
          [value, ...leaves(gradient).map(({ tensor }) => tensor)].flatMap((tensor) => Array.from(tensor.dataSync()));
        expectClose(values(replayed), values(expected), 2e-5);
      }
      // What concerns the model alone is any gradient's, from the same draws.
      const plain = estimateGradient(reparameterised, {
        problem: hierarchicalProblem,
        bound: elbo,
        theta,
        samples: 4,
        key: randomKey(4),
        phi: { q: phi.q, tau: phi.tau },
      });
      const ofModel = ({ theta: slope }: { theta: typeof theta }) =>
        leaves(slope).flatMap(({ tensor }) => Array.from(tensor.dataSync()));
      expectClose(ofModel(eager.gradient), ofModel(plain.gradient), 2e-5);
      for (const { path, tensor } of leaves(eager.gradient)) {
        // Everything takes part, but for a τ that is not learnt here.
        const size = tensor.abs().sum().dataSync()[0];
        if (path.startsWith("phi.reverse") && name === "importance") expect(size, path).toBe(0);
        else expect(size, path).toBeGreaterThan(0);
      }
      step.dispose();
    },
  );
});
