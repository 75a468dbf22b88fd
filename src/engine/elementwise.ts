/**
 * Operations that read and write each number once: one after another they are bound by memory, fused they are not. Sums are not among them, which XLA
 * runs on one thread, nor reshapes, for which it copies.
 */
const fusable = new Set(
  (
    "Abs Add AddV2 Cast Div Exp Expm1 Greater GreaterEqual Less LessEqual Log Log1p Maximum Minimum Mul Neg RealDiv Relu ReluGrad " +
    "Rsqrt Select SelectV2 Sigmoid SigmoidGrad Softplus SoftplusGrad Softsign Sqrt Square SquaredDifference Sub Tanh TanhGrad"
  ).split(" "),
);

/**
 * Tensors from this size on are worth the 50 to 300 ms that XLA takes to compile what is done to them. Measured on two cores: a VAE's step at
 * batch 100 takes 3.5 ms for 4.2, an IWAE's at 20 × 50 samples 9.2 for 11.4, Adam on 1.4 million parameters 2.6 for 4.3; from 15,000 on,
 * compiling costs more and gains nothing.
 */
const large = 2 ** 16;

/**
 * Attributes by which libtensorflow has XLA fuse an operation with its neighbours, where its tensors are large and it is one of those that
 * memory bounds; matrix products stay with libtensorflow, whose own are faster.
 */
export function fusion(
  operation: string,
  inputs: readonly { readonly shape?: readonly number[] | undefined }[],
  outputs: readonly (readonly number[])[],
): Readonly<Record<string, { readonly b: boolean } | { readonly s: Uint8Array }>> {
  if (!fusable.has(operation)) return {};
  const sizes = [...inputs.map(({ shape }) => shape ?? []), ...outputs].map((shape) =>
    shape.reduce((a, b) => a * b, 1),
  );
  if (Math.max(...sizes) < large) return {};
  return { _XlaCompile: { b: true }, _XlaScope: { s: new TextEncoder().encode("elementwise") } };
}
