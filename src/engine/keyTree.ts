import { threefry2x32, type Words } from "./threefry.js";

/** How a node of the tree comes about: from which other, by which counter; or as a constant of the program. Roots are given. */
type Derivation = { readonly parent: number; readonly counter: Words } | { readonly constant: Words };

/** The seeds that a loop inside the step draws with: one tree, grown anew from the keys of every turn. */
interface LoopSeeds {
  readonly keys: readonly (readonly number[])[];
  readonly tree: KeyTree;
}

/**
 * The tree of random keys that a step derived while it was recorded, and which of them seed draws.
 *
 * Derivation does not depend on data, so {@link seeds} grows the same tree from other roots: that is how a replay gets its draws.
 */
export class KeyTree {
  readonly #derivations: (Derivation | undefined)[] = [];
  readonly #index = new WeakMap<object, number>();
  readonly #seeds: number[] = [];
  readonly #slots = new Map<number, number>();
  readonly #loops: LoopSeeds[] = [];

  /** Adds a root; the words of the k-th root are the k-th argument of {@link seeds}. Roots come before all else. */
  addRoot(key: object): void {
    this.#index.set(key, this.#derivations.length);
    this.#derivations.push(undefined);
  }

  /** Adds a key that is the same at every replay. */
  addConstant(key: { readonly words: Words }): void {
    this.#index.set(key, this.#derivations.length);
    this.#derivations.push({ constant: key.words });
  }

  knows(key: object): boolean {
    return this.#index.has(key);
  }

  /** Notes that `child` has the words threefry(parent, counter), if the parent is of this tree. */
  derive(parent: object, child: object, counter: Words): void {
    const from = this.#index.get(parent);
    if (from === undefined) return;
    this.#index.set(child, this.#derivations.length);
    this.#derivations.push({ parent: from, counter });
  }

  /** The number of the slot that holds the words of a key of this tree. */
  slot(key: object): number {
    const node = this.#index.get(key) as number;
    const known = this.#slots.get(node);
    if (known !== undefined) return known;
    this.#slots.set(node, this.#seeds.length);
    this.#seeds.push(node);
    return this.#seeds.length - 1;
  }

  /** Gives a loop its seeds: those of `tree` for the root keys of each turn. Returns the number of the loop. */
  addLoop(keys: readonly (readonly object[])[], tree: KeyTree): number {
    this.#loops.push({ keys: keys.map((turn) => turn.map((key) => this.#index.get(key) as number)), tree });
    return this.#loops.length - 1;
  }

  /** Seeds that the step itself draws with, without those of its loops. */
  get ownSeeds(): number {
    return this.#seeds.length;
  }

  /** All seeds, those of loops included. */
  get size(): number {
    return this.#loops.reduce((total, { keys, tree }) => total + keys.length * tree.size, this.ownSeeds);
  }

  /** Where a loop's seeds begin, counted in seeds. */
  loopOffset(loop: number): number {
    return this.#loops.slice(0, loop).reduce((total, { keys, tree }) => total + keys.length * tree.size, this.ownSeeds);
  }

  /** All that {@link seeds} depends on but the roots. */
  get description(): unknown {
    return [this.#derivations, this.#seeds, this.#loops.map(({ keys, tree }) => [keys, tree.description])];
  }

  /** Writes the words of all seeds for the given roots into `out`, from seed `offset` on; two numbers a seed. */
  seeds(roots: readonly Words[], out: Int32Array, offset = 0): void {
    const words: Words[] = [];
    this.#derivations.forEach((derivation, i) => {
      if (!derivation) words.push(roots[i]!);
      else if ("constant" in derivation) words.push(derivation.constant);
      else words.push(threefry2x32(words[derivation.parent]!, derivation.counter));
    });
    let at = 2 * offset;
    for (const node of this.#seeds) {
      out[at++] = words[node]![0];
      out[at++] = words[node]![1];
    }
    for (const { keys, tree } of this.#loops) {
      let before: readonly Words[] = [];
      for (const turn of keys) {
        const given = turn.map((key) => words[key]!);
        // The turns that a call does not take repeat the keys of its last one; their seeds need not be derived.
        const repeated =
          given.length > 0 && given.every((each, i) => each[0] === before[i]?.[0] && each[1] === before[i][1]);
        if (repeated) out.copyWithin(at, at - 2 * tree.size, at);
        else tree.seeds(given, out, at / 2);
        before = given;
        at += 2 * tree.size;
      }
    }
  }
}
