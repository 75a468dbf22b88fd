/**
 * How a value leaves a cell: as one bundle of representations of the same thing, from which the viewer takes the richest it can show.
 * In the project's kernel and in plain tslab the bundle goes to the notebook; in plain Node its `text/plain` goes to standard output.
 */
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

/** One value in several MIME types, as Jupyter's `display_data` carries it. */
export interface MimeBundle {
  /** MIME type → content. `text/plain` is required, so that no viewer is left with nothing. */
  readonly data: { readonly "text/plain": string; readonly [mimeType: string]: unknown };
  /** MIME type → hints for the viewer (such as the width of an image). */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A displayed value that can be shown anew in place. */
export interface UpdatableDisplay {
  /** Replaces what is shown; in plain Node, where nothing can be replaced, it does nothing. */
  update(bundle: MimeBundle): void;
}

interface DisplayMessage {
  data: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  transient?: { display_id?: string };
}
type Publish = (message: DisplayMessage, update: boolean) => void;

/**
 * The running notebook's publisher, or `undefined` in plain Node. It is looked up at every call: plain tslab sets it anew for every cell.
 * tslab is only looked for among what is loaded already, since loading it would start what only a kernel needs.
 */
function publisher(): Publish | undefined {
  const hook: unknown = Reflect.get(globalThis, Symbol.for("marginalia.display"));
  if (typeof hook === "function") return hook as Publish;
  const loaded = createRequire(import.meta.url).cache;
  const path = Object.keys(loaded).find((name) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(name));
  const tslab = path === undefined ? undefined : (loaded[path]?.exports as { lastWriteDisplayData?: Publish | null });
  return tslab?.lastWriteDisplayData ?? undefined;
}

/** True where a bundle reaches a notebook, false in plain Node. */
export function inNotebook(): boolean {
  return publisher() !== undefined;
}

function send(bundle: MimeBundle, update: boolean, id?: string): void {
  const publish = publisher();
  if (publish === undefined) {
    if (!update) process.stdout.write(`${bundle.data["text/plain"]}\n`);
    return;
  }
  publish(
    {
      data: { ...bundle.data },
      metadata: { ...bundle.metadata },
      ...(id === undefined ? {} : { transient: { display_id: id } }),
    },
    update,
  );
}

/** Shows one bundle under the running cell. */
export function display(bundle: MimeBundle): void {
  send(bundle, false);
}

/** Shows one bundle under the running cell and returns a handle that replaces it in place. */
export function displayUpdatable(bundle: MimeBundle): UpdatableDisplay {
  const id = randomUUID();
  send(bundle, false, id);
  return { update: (next) => send(next, true, id) };
}
