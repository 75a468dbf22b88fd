import { compile } from "../engine/compile.js";
import { leaves, type Parameters } from "../engine/parameters.js";
import { foldIn, type Key } from "../engine/random.js";
import type { FactorisedProblem } from "../models/factorisedProblem.js";
import type { ReplaceableProblem } from "../models/factorReplacement.js";
import type { Problem } from "../models/problem.js";
import { estimateGradient, type Gradient, type GradientInputs } from "./gradient.js";

/** What one estimate of a gradient costs. */
export interface GradientCost {
  /** At how many draws log p is evaluated, in one estimate; a problem's `factors` count as log p, and so does the exchange of a draw's factors one by one (`replaced`). */
  readonly evaluations: number;
  /** The median time of one compiled estimate; NaN if none was timed. */
  readonly milliseconds: number;
}

/**
 * The cost of one estimate: evaluations of log p, counted, and the time of the compiled estimate, measured.
 *
 * The count is the same everywhere; the time is this machine's, and too long on a busy one.
 *
 * @param at where to estimate, and `calls`: how many compiled estimates to time; 0 for none.
 * @throws Error if `calls` is no whole number, or as the gradient does.
 */
export function gradientCost<Theta extends Parameters, Phi extends Parameters, Z>(
  gradient: Gradient,
  at: GradientInputs<Theta, Phi, Z> & { readonly calls: number },
): GradientCost {
  const { calls, ...inputs } = at;
  if (!Number.isInteger(calls) || calls < 0)
    throw new Error(`gradientCost: calls must be a whole number, 0 for no timing, not ${calls}.`);
  let evaluations = 0;
  const disposed = (of: Parameters): void => {
    for (const { tensor } of leaves(of)) tensor.dispose();
  };
  const { value, gradient: once } = estimateGradient(gradient, {
    ...inputs,
    problem: counted(inputs.problem, (draws) => {
      evaluations += draws;
    }),
  });
  value.dispose();
  disposed(once);
  if (calls === 0) return { evaluations, milliseconds: Number.NaN };
  const step = compile(({ key }: { key: Key }) => estimateGradient(gradient, { ...inputs, key }).gradient);
  try {
    const times = Array.from({ length: calls + 1 }, (_, i) => {
      const start = performance.now();
      const found = step({ key: foldIn(inputs.key, i) }) as typeof once;
      for (const { tensor } of leaves(found)) tensor.dataSync();
      disposed(found);
      return performance.now() - start;
    });
    const timed = times.slice(1).sort((a, b) => a - b); // the first call compiles
    return { evaluations, milliseconds: timed[Math.floor(timed.length / 2)] };
  } finally {
    step.dispose();
  }
}

/** The same problem, which tells of every evaluation of log p. */
function counted<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  tell: (draws: number) => void,
): Problem<Theta, Phi, Z> {
  const told: Problem<Theta, Phi, Z> = {
    ...problem,
    logP: (theta, z) => {
      const logP = problem.logP(theta, z);
      tell(logP.shape[0]);
      return logP;
    },
  };
  return { ...told, ...tellingFactors(problem, tell), ...tellingReplaced(problem, tell) };
}

function tellingFactors<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  tell: (draws: number) => void,
): Partial<Pick<FactorisedProblem<Theta, Phi, Z>, "factors">> {
  if (!("factors" in problem)) return {};
  const { factors } = problem as FactorisedProblem<Theta, Phi, Z>;
  return {
    factors: (theta, phi, z) => {
      const found = factors(theta, phi, z);
      tell(found.logP.shape[0]);
      return found;
    },
  };
}

function tellingReplaced<Theta extends Parameters, Phi extends Parameters, Z>(
  problem: Problem<Theta, Phi, Z>,
  tell: (draws: number) => void,
): Partial<Pick<ReplaceableProblem<Theta, Phi>, "replaced">> {
  if (!("replaced" in problem)) return {};
  const { replaced } = problem as unknown as ReplaceableProblem<Theta, Phi>;
  return {
    replaced: (theta, phi, z, proposed) => {
      tell(proposed.shape[0]);
      return replaced(theta, phi, z, proposed);
    },
  };
}
