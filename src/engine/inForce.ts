/** What is to be undone, innermost last. */
const undos: (() => void)[] = [];

/**
 * Runs `compute`, which is synchronous, and then undoes what the caller put in force for it.
 *
 * An interrupted notebook cell ends synchronous code without its `finally`; then it is undone as soon as that code is over.
 */
export function inForce<T>(undo: () => void, compute: () => T): T {
  if (undos.length === 0) queueMicrotask(() => undoDownTo(0));
  const depth = undos.push(undo) - 1;
  try {
    return compute();
  } finally {
    undoDownTo(depth);
  }
}

function undoDownTo(depth: number): void {
  while (undos.length > depth) undos.pop()?.();
}
