import { beforeAll, describe, expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { ready } from "../../src/engine/backend.js";
import { compile } from "../../src/engine/compile.js";
import { leaves } from "../../src/engine/parameters.js";
import { type Key, randomKey, split } from "../../src/engine/random.js";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { gaussianConditional } from "../../src/families/gaussianConditional.js";
import { gaussianReverse } from "../../src/families/gaussianReverse.js";
import { hierarchical } from "../../src/families/hierarchical.js";
import { hierarchicalLaplace } from "../../src/families/hierarchicalLaplace.js";
import { exactReverse } from "../../src/families/reverseConditional.js";
import { estimateGradient } from "../../src/gradients/gradient.js";
import { iwhviDoublyReparameterised } from "../../src/gradients/iwhviDoublyReparameterised.js";
import { reparameterised } from "../../src/gradients/reparameterised.js";
import { hierarchicalLatentVariableProblem, initialParameters } from "../../src/marginals/hierarchicalProblem.js";
import { iwhvi, type Marginal, sampleHierarchy, sivi } from "../../src/marginals/marginal.js";
import type { MlpParameters } from "../../src/models/mlp.js";
import type { NoParameters } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { backends, expectClose } from "../engine/support.js";

const family = hierarchical({
  mixing: amortisedGaussian({ latent: 3, observed: 5, hidden: [6] }),
  conditional: gaussianConditional({ latent: 2, mixing: 3, observed: 5, hidden: [6], scale: "network" }),
});
const learnt = iwhvi({ reverse: gaussianReverse({ latent: 2, mixing: 3, observed: 5, hidden: [6] }), samples: 3 });
const model = vae({ latent: 2, observed: 5, hidden: [4] });

describe.each(backends)("a gradient step on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const gradients = [
    ["plain, IWHVI in an ELBO", reparameterised, elbo, learnt],
    ["doubly reparameterised, DIWHVI", iwhviDoublyReparameterised, iwae, learnt],
    ["plain, SIVI with shared draws in IWAE", reparameterised, iwae, sivi({ samples: 4, shared: true })],
  ] as const;

  it.each(gradients)(
    "replays what eager does, for every parameter of model, q and τ: %s",
    (_name, gradient, bound, marginal) => {
      const x = tf.tensor2d([
        [0, 1, 1, 0, 1],
        [1, 0, 0, 0, 1],
      ]);
      const problem = hierarchicalLatentVariableProblem({
        model,
        family,
        marginal: marginal as Marginal<MlpParameters | NoParameters>,
        x,
        scale: 3,
      });
      const theta = model.init(randomKey(1));
      const phi = initialParameters(family, problem.marginal, randomKey(2));
      const estimate = (inputs: { theta: typeof theta; phi: typeof phi; key: Key }) =>
        estimateGradient(gradient, { problem, bound, samples: 4, ...inputs });
      const step = compile(estimate);
      for (const seed of [3, 4]) {
        const [eager, replayed] = [estimate, step].map((run) => run({ theta, phi, key: randomKey(seed) }));
        const values = ({ value, gradient: slope }: typeof eager) =>
          [value, ...leaves(slope).map(({ tensor }) => tensor)].flatMap((tensor) => Array.from(tensor.dataSync()));
        expectClose(values(replayed), values(eager), 2e-5);
        for (const { path, tensor } of leaves(eager.gradient)) {
          // Every part takes part: nothing was cut off from the tape on the way.
          expect(tensor.abs().sum().dataSync()[0], path).toBeGreaterThan(path.startsWith("phi.tau.layers.0") ? -1 : 0);
        }
        expect(leaves(eager.gradient).some(({ path }) => path.startsWith("phi.tau"))).toBe(marginal === learnt);
      }
      step.dispose();
    },
  );

  it("records the exact inverse-Gaussian draws of the Laplace mixture", () => {
    const laplace = hierarchicalLaplace({ dimension: 3 });
    const estimate = ({ phi, key }: { phi: ReturnType<typeof laplace.init>; key: Key }) => {
      const hierarchy = laplace.hierarchy(phi);
      const [draw, fresh] = split(key);
      const { z, psi: psi0 } = sampleHierarchy(hierarchy, draw, 4);
      const logQ = iwhvi({ reverse: exactReverse, samples: 2 }).logDensity({ hierarchy, eta: {}, z, psi0, key: fresh });
      return { logQ, exact: hierarchy.logDensity(z) };
    };
    const step = compile(estimate);
    const phi = laplace.init(randomKey(1));
    step({ phi, key: randomKey(5) });
    const { logQ, exact } = step({ phi, key: randomKey(6) });
    expectClose(Array.from(logQ.dataSync()), Array.from((exact as Tensor2D).dataSync()), 2e-6);
    step.dispose();
  });
});
