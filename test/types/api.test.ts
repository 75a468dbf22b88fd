import {
  amortisedGaussian,
  type Bound,
  type ClaimInput,
  type Estimate,
  elbo,
  fit,
  iwae,
  type Key,
  latentVariableProblem,
  meanFieldGaussian,
  minibatches,
  Normal,
  type Notebook,
  normal,
  type Problem,
  randomKey,
  sir,
  split,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from "marginalia";
import { describe, expectTypeOf, it } from "vitest";

// Held by the strict type-check (`marginalia test --only types`), not by running: a misuse that compiles is an error there.
declare const key: Key;
declare const x: Tensor2D;
declare const nb: Notebook;

describe("what users forget is required", () => {
  it("randomness is an explicit key", () => {
    expectTypeOf(randomKey).parameter(0).toEqualTypeOf<string | number>();
    expectTypeOf(split).returns.items.toEqualTypeOf<Key>();
    // @ts-expect-error a shape alone draws nothing: there is no global generator
    () => normal([3]);
    // @ts-expect-error a seed is made into a key first
    () => normal(3, [3]);
  });

  it("the minibatch scale", () => {
    type Options = Parameters<typeof latentVariableProblem>[0];
    expectTypeOf<Options>().toHaveProperty("scale").toEqualTypeOf<number>();
    expectTypeOf<Problem<Record<string, never>, Record<string, never>>["scale"]>().toEqualTypeOf<number>();
  });

  it("distributions name their parameters", () => {
    // @ts-expect-error the scale is missing
    () => new Normal({ mean: 0 });
    // @ts-expect-error no positional parameters
    () => new Normal(0, 1);
  });
});

describe("shapes and kinds", () => {
  it("a bound maps log-weights to one value for each datum, and offers both derivatives", () => {
    expectTypeOf<Bound["value"]>().toEqualTypeOf<(logW: Tensor2D) => Tensor1D>();
    expectTypeOf<Bound["weights"]>().toEqualTypeOf<(logW: Tensor2D) => Tensor2D>();
    expectTypeOf<Bound["curvature"]>().toEqualTypeOf<(logW: Tensor2D) => Tensor2D>();
    expectTypeOf(elbo).toExtend<Bound>();
    expectTypeOf(iwae).toExtend<Bound>();
  });

  it("nothing that users call is of type any", () => {
    for (const entry of [
      fit,
      sir,
      meanFieldGaussian,
      amortisedGaussian,
      minibatches,
      latentVariableProblem,
      normal,
      split,
    ]) {
      expectTypeOf(entry).not.toBeAny();
    }
    expectTypeOf<ReturnType<typeof normal>>().toExtend<Tensor>();
    expectTypeOf<Awaited<ReturnType<typeof fit>>>().not.toBeAny();
    expectTypeOf<Problem<Record<string, never>, Record<string, never>>["logP"]>().returns.toEqualTypeOf<Tensor2D>();
    expectTypeOf<Tensor3D>().not.toEqualTypeOf<Tensor2D>();
    expectTypeOf<typeof x>().not.toEqualTypeOf<Tensor3D>();
    expectTypeOf<typeof key>().not.toBeAny();
  });
});

describe("notebooks", () => {
  it("a budget has a row for every profile, all of one type", () => {
    () => {
      expectTypeOf(nb.budget({ quick: { k: 1 }, standard: { k: 2 }, full: { k: 3 } })).toEqualTypeOf<{ k: number }>();
      // @ts-expect-error full is missing
      nb.budget({ quick: { k: 1 }, standard: { k: 2 } });
      // @ts-expect-error full has no k
      nb.budget({ quick: { k: 1 }, standard: { k: 2 }, full: { n: 3 } });
    };
  });

  it("a published number cannot stand for a measured one", () => {
    expectTypeOf<Estimate>().toExtend<NonNullable<ClaimInput["measured"]>>();
    type Published = NonNullable<ClaimInput["published"]>;
    expectTypeOf<Published>().not.toExtend<NonNullable<ClaimInput["measured"]>>();
  });
});
