import { StringDecoder } from "node:string_decoder";
import type { Channels } from "./channels.js";
import type { JsonObject } from "./json.js";
import { answer, type Message } from "./message.js";

/** The two text streams of a cell. */
export type StreamName = "stdout" | "stderr";

const FLUSH_AFTER_MS = 50;
const FLUSH_AT_CHARACTERS = 65_536;

/**
 * Everything that clients see of a running cell, in the order in which it happened.
 *
 * Text is gathered for a moment, so that a fast loop sends few messages; whatever is published next (text of the other stream, a
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
  #flushedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /** From now on output belongs to this request, also what arrives after its cell has ended, until another cell starts. */
  begin(owner: Message, muted: boolean): void {
    this.flush();
    this.#owner = owner;
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
    // A synchronous loop gives timers no chance to fire, so the clock is asked as well.
    if (this.#text.length >= FLUSH_AT_CHARACTERS || performance.now() - this.#flushedAt > FLUSH_AFTER_MS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER_MS);
  }

  /** Publishes the text gathered so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#send("stream", { name: this.#name, text });
  }

  #send(type: string, content: JsonObject): void {
    if (this.#owner !== undefined && !this.#muted) this.#channels.publish(answer(this.#owner, type, content));
  }
}
