/** log Σ exp of many values for each of `width` columns, one at a time, in Float64. @internal */
export class RunningLogSum {
  private readonly largest: Float64Array;
  private readonly total: Float64Array;

  constructor(width: number) {
    this.largest = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
    this.total = new Float64Array(width);
  }

  add(column: number, value: number): void {
    if (value <= this.largest[column]) {
      if (value !== Number.NEGATIVE_INFINITY) this.total[column] += Math.exp(value - this.largest[column]);
      return;
    }
    this.total[column] = this.total[column] * Math.exp(this.largest[column] - value) + 1;
    this.largest[column] = value;
  }

  values(): Float64Array {
    return this.total.map((total, b) => this.largest[b] + Math.log(total));
  }
}
