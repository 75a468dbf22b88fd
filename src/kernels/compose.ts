import { checkPositive, type RadialKernel } from "./radialKernel.js";

/**
 * The sum of kernels, k = Σ_i k_i: of several length scales, for instance, where no single one is known to be right.
 *
 * @throws RangeError if there is no kernel.
 */
export function sumKernel(...kernels: readonly RadialKernel[]): RadialKernel {
  checkAny("sumKernel", kernels);
  return kernels.reduce((a, b) => ({
    name: `${a.name} + ${b.name}`,
    value: (s) => a.value(s) + b.value(s),
    slope: (s) => a.slope(s) + b.slope(s),
    curvature: (s) => a.curvature(s) + b.curvature(s),
  }));
}

/**
 * The product of kernels, k = ∏_i k_i, positive definite as its factors are (Schur's theorem).
 *
 * @throws RangeError if there is no kernel.
 */
export function productKernel(...kernels: readonly RadialKernel[]): RadialKernel {
  checkAny("productKernel", kernels);
  return kernels.reduce((a, b) => ({
    name: `(${a.name}) · (${b.name})`,
    value: (s) => a.value(s) * b.value(s),
    slope: (s) => a.slope(s) * b.value(s) + a.value(s) * b.slope(s),
    curvature: (s) => a.curvature(s) * b.value(s) + 2 * a.slope(s) * b.slope(s) + a.value(s) * b.curvature(s),
  }));
}

/**
 * A kernel in other units, k = v k_0.
 *
 * @param variance v, the value at distance 0 of a kernel that is 1 there.
 * @throws RangeError if v is not positive and finite.
 */
export function scaledKernel(kernel: RadialKernel, variance: number): RadialKernel {
  checkPositive("scaledKernel: variance", variance);
  return {
    name: `${variance} · (${kernel.name})`,
    value: (s) => variance * kernel.value(s),
    slope: (s) => variance * kernel.slope(s),
    curvature: (s) => variance * kernel.curvature(s),
  };
}

function checkAny(name: string, kernels: readonly RadialKernel[]): void {
  if (kernels.length === 0) throw new RangeError(`${name} needs at least one kernel.`);
}
