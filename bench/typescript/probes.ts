import { compile, normal, randomKey, type Tensor2D, tf } from "marginalia";

/** Milliseconds of repeated calls, the first few left out. */
function time(call: () => void, seconds: number): number[] {
  for (let i = 0; i < 3; i++) call();
  const times: number[] = [];
  for (const end = performance.now() + 1000 * seconds; times.length < 5 || performance.now() < end; ) {
    const start = performance.now();
    call();
    times.push(performance.now() - start);
  }
  return times;
}

/** What bounds a step: the machine's matrix products and memory as this library reaches them, and the price of a call that does nothing. */
export const probes = {
  /** `[m, k] × [k, n]`, one operation. */
  matmul: ([m, k, n]: readonly number[], seconds: number): number[] => {
    const [a, b] = [
      [m, k],
      [k, n],
    ].map((shape) => normal(randomKey(1), shape) as Tensor2D); // prettier-ignore
    try {
      return time(() => tf.matMul(a, b).dispose(), seconds);
    } finally {
      tf.dispose([a, b]);
    }
  },
  /** x + 1 over n numbers: n read and n written. */
  memory: ([n]: readonly number[], seconds: number): number[] => {
    const x = tf.ones([n]);
    try {
      return time(() => tf.add(x, 1).dispose(), seconds);
    } finally {
      x.dispose();
    }
  },
  /** x + 1 of a scalar, compiled. */
  call: (_: readonly number[], seconds: number): number[] => {
    const x = tf.scalar(1);
    const call = compile(({ x }: { x: tf.Scalar }) => ({ y: tf.add(x, 1) }));
    try {
      return time(() => call({ x }).y.dispose(), seconds);
    } finally {
      call.dispose();
      x.dispose();
    }
  },
};
