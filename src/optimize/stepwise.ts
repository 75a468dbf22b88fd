/** What can stand for a static choice: a number such as K, a name, a truth value. */
export type PlainValue = number | string | boolean;

/** A plain value that changes at a few steps and stays between them. */
export interface Stepwise<Value extends PlainValue = PlainValue> {
  /** From which step on it has which value, in order, the first from step 0. */
  readonly changes: readonly { readonly from: number; readonly value: Value }[];
  /** The value at a step, from 0. */
  at(step: number): Value;
}

/**
 * A plain value that changes at a few steps: `stepwise({ 0: 0, 250: 5, 500: 25 })` is 0 up to step 249, then 5, and 25 from step 500 on.
 *
 * For what fixes shapes or operations, such as a number of samples: a compiled step is recorded anew at each change. What changes at every step is a `Schedule`.
 *
 * @throws Error if there is no value from step 0 on, if a step is no non-negative integer, or if a number is not finite.
 */
export function stepwise<Value extends PlainValue>(values: Readonly<Record<number, Value>>): Stepwise<Value> {
  const changes = Object.entries(values)
    .map(([from, value]) => ({ from: Number(from), value }))
    .sort((a, b) => a.from - b.from);
  for (const { from, value } of changes) {
    if (!Number.isInteger(from) || from < 0) {
      throw new Error(`stepwise: a value changes at a step, an integer of at least 0, not at ${from}.`);
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new Error(`stepwise: the value from step ${from} on must be finite, not ${value}.`);
    }
  }
  if (changes[0]?.from !== 0) throw new Error("stepwise: give the value from step 0 on, { 0: …, 250: … }.");
  return {
    changes,
    at: (step) => (changes.findLast(({ from }) => from <= step) ?? changes[0]!).value,
  };
}
