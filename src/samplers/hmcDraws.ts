import { ChainDraws } from "./chainDraws.js";

/** The kernel that warm-up chose. */
export interface HmcTuning {
  /** ε. */
  readonly stepSize: number;
  /** L. */
  readonly leapfrogSteps: number;
  /** The coordinates' units, `[D]`: estimated standard deviations, or ones. */
  readonly scale: Float32Array;
}

/** Draws of several chains of Hamiltonian Monte Carlo, and what is computed from them on demand. */
export class HmcDraws extends ChainDraws {
  /** @internal */
  constructor(
    values: Float32Array,
    shape: readonly [samples: number, chains: number, dimension: number],
    /** The kernel that all draws come from. */
    readonly tuning: HmcTuning,
    /** Each chain's mean acceptance probability, `[C]`. */
    readonly acceptance: Float64Array,
    /**
     * How many of the S C trajectories ended with an energy error beyond 103 nats, or none: their acceptance is 0 in float32. More than a few say that a part of
     * the target is too sharp for the step size, and is missed; raise the target acceptance or reparameterise.
     */
    readonly divergences: number,
  ) {
    super(values, shape);
  }
}
