import { StringDecoder } from "node:string_decoder";
import type { Channels } from "./channels.js";
import type { JsonObject } from "./json.js";
import { answer, type Message } from "./message.js";

/** The two text streams of a cell. */
export type StreamName = "stdout" | "stderr";

const FLUSH_AFTER_MS = 50;
const FLUSH_AT_CHARACTERS = 65_536;

/** So many messages of text may be sent at once; then one more for each `REFILL_MS`. Servers drop output above 1,000 a second. */
const BURST = 10;
const REFILL_MS = 10;

/**
 * Everything that clients see of a running cell, in the order in which it happened.
 *
 * Text of a fast loop is gathered for a moment, so that it makes few messages; whatever is published next (text of the other stream, a
 * display, the result) sends the gathered text first.
 */
export class OutputPublisher {
  readonly #channels: Channels;
  readonly #decoders: Record<StreamName, StringDecoder> = {
    stdout: new StringDecoder("utf8"),
    stderr: new StringDecoder("utf8"),
  };
  #owner: Message | undefined;
  #muted = false;
  #name: StreamName = "stdout";
  #text = "";
  #allowance = BURST;
  #countedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /** From now on output belongs to this request, also what arrives after its cell has ended, until another cell starts. */
  begin(owner: Message, muted: boolean): void {
    this.flush();
    this.#owner = owner;
    this.#allowance = BURST;
    this.#muted = muted;
  }

  /** Publishes a message of the cell, unless the cell is silent. */
  publish(type: string, content: JsonObject): void {
    this.flush();
    this.#send(type, content);
  }

  /** Publishes text of a stream, as a string or as bytes that may end in the middle of a character. */
  write(name: StreamName, chunk: string | Uint8Array): void {
    const text = typeof chunk === "string" ? chunk : this.#decoders[name].write(Buffer.from(chunk));
    if (text === "") return;
    if (name !== this.#name) this.flush();
    this.#name = name;
    this.#text += text;
    // A synchronous computation gives timers no chance to fire: what it prints now and then is sent at once.
    if (this.#text.length >= FLUSH_AT_CHARACTERS || this.#mayFlush()) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER_MS);
  }

  /** Publishes the text gathered so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#allowance = Math.max(0, this.#allowance - 1);
    this.#send("stream", { name: this.#name, text });
  }

  #mayFlush(): boolean {
    const now = performance.now();
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#countedAt) / REFILL_MS);
    this.#countedAt = now;
    return this.#allowance >= 1;
  }

  #send(type: string, content: JsonObject): void {
    if (this.#owner !== undefined && !this.#muted) this.#channels.publish(answer(this.#owner, type, content));
  }
}
