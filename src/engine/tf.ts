/**
 * The one place that imports TensorFlow.js: every other file takes `tf` from here, so that all share one engine.
 * `tf` carries the operations; which backend runs them is decided by {@link ready} in `backend.ts`.
 */
import * as tf from "@tensorflow/tfjs";

export type {
  Rank,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  TensorLike,
} from "@tensorflow/tfjs";
export { tf };
