import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { type BackendName, ready } from "../../src/engine/backend.js";
import { leaves } from "../../src/engine/parameters.js";
import { randomKey, uniform } from "../../src/engine/random.js";
import { type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { amortisedGaussian } from "../../src/families/amortisedGaussian.js";
import { fullRankGaussian } from "../../src/families/fullRankGaussian.js";
import { densityProblem, latentVariableProblem } from "../../src/models/problem.js";
import { vae } from "../../src/models/vae.js";
import { normalLogDensity } from "../../src/ops/normalLogDensity.js";
import { adam } from "../../src/optimize/adam.js";
import type { Compilation } from "../../src/optimize/compiledSteps.js";
import { fit as fitProblem } from "../../src/optimize/fit.js";
import { minibatches } from "../../src/optimize/minibatches.js";
import { exponentialDecay } from "../../src/optimize/schedules.js";

const key = randomKey(1);
const method = {
  bound: iwae,
  samples: 4,
  optimizer: adam({ learningRate: exponentialDecay({ initial: 0.05, factor: 0.5, every: 7 }) }),
  steps: 40,
  traceEvery: 1,
  key,
};

/** A 2-D Gaussian fitted to a density, and everything that came of it as numbers. */
async function fitDensity(
  logDensity: (z: Tensor3D) => Tensor2D,
  compile?: Compilation,
): Promise<{ phi: number[]; values: number[]; norms: (number | null)[] }> {
  const family = fullRankGaussian({ dimension: 2 });
  const problem = densityProblem({ logDensity, family });
  const phi = family.init(key);
  try {
    const fitted = await fitProblem({ ...method, problem, init: { phi }, ...(compile && { compile }) });
    const numbers = leaves(fitted.phi).flatMap(({ tensor }) => Array.from(tensor.dataSync()));
    fitted.dispose();
    const { trace } = fitted;
    return {
      phi: numbers,
      values: trace.map(({ value }) => value),
      norms: trace.map(({ gradientNorm }) => gradientNorm),
    };
  } finally {
    tf.dispose(leaves(phi).map(({ tensor }) => tensor));
  }
}

const correlated = (z: Tensor3D): Tensor2D => {
  const [x, y] = tf.split(z, 2, -1) as [Tensor3D, Tensor3D];
  return tf.add(normalLogDensity(x, 1, 0.5, 1), normalLogDensity(y, tf.mul(x, 0.8), 0.7, 1)) as Tensor2D;
};

/** The same, but it looks at a value on the way. */
const peeking = (z: Tensor3D): Tensor2D => {
  const [first] = z.dataSync();
  return tf.add(correlated(z), first! > 1e30 ? 1 : 0) as Tensor2D;
};

describe.each(["tensorflow", "wasm", "cpu"] satisfies BackendName[])("a fit by compiled steps on %s", (backend) => {
  let numTensors = 0;
  beforeAll(async () => {
    await ready({ backend });
  });
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => {
    vi.restoreAllMocks();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it.each(backend === "tensorflow" ? ([undefined, "graph", "xla"] as const) : ([undefined, "graph"] as const))(
    "is an eager one but for rounding (compile: %s)",
    async (compile) => {
      const [compiled, eager] = [await fitDensity(correlated, compile), await fitDensity(correlated, "none")];
      for (const what of ["phi", "values", "norms"] as const) {
        expect(compiled[what]).toHaveLength(eager[what].length);
        for (const [i, value] of compiled[what].entries()) expect(value).toBeCloseTo(eager[what][i]!, 3);
      }
    },
  );

  it("goes through transformed minibatches as an eager one does", async () => {
    const [model, family] = [
      vae({ latent: 2, observed: 6, hidden: [5] }),
      amortisedGaussian({ latent: 2, observed: 6, hidden: [5] }),
    ];
    const data = uniform(randomKey(2), [10, 6]) as Tensor2D;
    const batches = minibatches({
      data,
      size: 3,
      key: randomKey(3),
      transform: (x, batchKey) => tf.cast(tf.less(uniform(batchKey, x.shape), x), "float32") as Tensor2D,
    });
    const init = { theta: model.init(randomKey(4)), phi: family.init(randomKey(5)) };
    const run = async (compile: Compilation): Promise<number[]> => {
      const fitted = await fitProblem({
        ...method,
        bound: elbo,
        problem: ({ x, scale }) => latentVariableProblem({ model, family, x, scale }),
        batches,
        init,
        compile,
      });
      fitted.dispose();
      return fitted.trace.map(({ value }) => value);
    };
    const [compiled, eager] = [await run("graph"), await run("none")];
    for (const [i, value] of compiled.entries()) expect(value).toBeCloseTo(eager[i]!, 3);
    tf.dispose([data, ...leaves(init).map(({ tensor }) => tensor)]);
  });

  it("runs eagerly, with one warning that says why, where the step cannot be compiled", async () => {
    const warnings: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((message: string) => void warnings.push(message));
    const fallen = await fitDensity(peeking);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^fit: this step cannot be compiled and runs slower, one operation at a time\. .*read/);
    expect(fallen).toEqual(await fitDensity(correlated, "none"));
  });

  it("is refused where the user asks for it and the step cannot be compiled", async () => {
    await expect(fitDensity(peeking, "graph")).rejects.toThrow(/read/);
  });
});
