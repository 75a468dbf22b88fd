/**
 * Whether a product of two matrices, rows × inner and inner × columns, is worth several threads, yet one that `MatMul` would keep to one:
 * then `BatchMatMulV2` runs it faster, though it costs 40 µs more to start.
 *
 * Measured over 25 shapes on two cores: 1000×200×200 takes .35 ms as a batch and .56 ms as `MatMul`, 100×50×50 .066 and .027, 1000×200×784
 * 1.11 and 1.03; in a graph, 1000×200×200 takes .47 and .62, 100×50×50 .15 and .11.
 */
export function spreads(rows: number, inner: number, columns: number): boolean {
  const bytes = 4 * (rows * inner + inner * columns + rows * columns);
  return rows * inner * columns >= 8e6 && bytes <= 4e6;
}
