import type { Tensor } from "../engine/tf.js";
import { tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { sumToShape } from "./sumToShape.js";

/**
 * A draw x ~ F(·; θ) with the gradient of its implicit reparameterisation: `∂x/∂θ = −(∂F(x; θ)/∂θ) / p(x; θ)`, the speed at which each quantile moves.
 *
 * However x is drawn — by rejection, say, where nothing can be differentiated — `E ∂f(x)/∂θ = ∂/∂θ E f(x)` for smooth f. In one dimension it is the
 * only gradient that is a function of x alone, and of all pathwise ones that with the lowest variance.
 *
 * @param options.parameters θ, each of a shape that broadcasts to the draw's.
 * @param options.draw x; it runs off the tape.
 * @param options.slopes ∂x/∂θ from x and θ, one function a parameter, of the draw's shape. What they compute is on the tape, so the draw can be
 *   differentiated as often as they can.
 * Source: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients", eq. 6.
 */
export function implicitDraw(options: {
  readonly parameters: readonly Tensor[];
  readonly draw: () => Tensor;
  readonly slopes: (x: Tensor, parameters: readonly Tensor[]) => readonly (() => Tensor)[];
}): Tensor {
  const attach = (parameters: readonly Tensor[], draw: () => Tensor): Tensor =>
    differentiable(
      parameters,
      (save) => {
        const x = draw();
        save([...parameters, x]);
        return x;
      },
      (dy, saved) => {
        const [held, drawn] = [saved.slice(0, -1), saved[saved.length - 1]!];
        const slopes = options.slopes(
          attach(held, () => tf.clone(drawn)),
          held,
        );
        return held.map((parameter, i) => () => sumToShape(tf.mul(dy, slopes[i]!()), parameter.shape));
      },
    );
  return attach(options.parameters, options.draw);
}
