import { setTimeout as delay } from "node:timers/promises";
import type { Channels, RequestChannel } from "./channels.js";
import { completeness } from "./completeness.js";
import { completion } from "./completion.js";
import { Executions } from "./execution.js";
import type { History } from "./history.js";
import { inspection } from "./inspection.js";
import type { Interpreter } from "./interpreter.js";
import { booleanField, type JsonObject, stringField } from "./json.js";
import { kernelInfo } from "./kernelInfo.js";
import type { Lazy } from "./lazy.js";
import { answer, type Message } from "./message.js";
import type { OutputPublisher } from "./publisher.js";

/** What a kernel is made of. */
export interface KernelParts {
  readonly channels: Channels;
  readonly interpreter: Lazy<Interpreter>;
  readonly publisher: OutputPublisher;
  readonly history: History;
  readonly log: (line: string) => void;
  /** Called after a `shutdown_request` was answered. */
  readonly exit: () => void;
}

interface QueuedCell {
  readonly message: Message;
  readonly channel: RequestChannel;
}

/** How long a question about code waits for the cell that runs, before it is answered while the cell awaits something. */
const QUESTION_WAIT_MS = 300;

/** How long no request may arrive before those that were sent without knowing of an error count as complete; and for how long at most. */
const QUIET_MS = 10;
const DRAIN_MS = 200;

/** Answers the requests of Jupyter clients. Cells run one after another; questions about code do not wait for a cell that takes long. */
export class Kernel {
  readonly #parts: KernelParts;
  readonly #executions: Executions;
  readonly #queue: QueuedCell[] = [];
  #running: Message | undefined;
  #idle: Promise<void> = Promise.resolve();
  #arrivedAt = 0;

  constructor(parts: KernelParts) {
    this.#parts = parts;
    this.#executions = new Executions(parts.interpreter, parts.publisher, parts.history);
  }

  /** Takes a request from a channel. */
  handle(message: Message, channel: RequestChannel): void {
    this.#arrivedAt = performance.now();
    if (message.header.msg_type === "execute_request") {
      this.#queue.push({ message, channel });
      if (this.#running === undefined) this.#idle = this.#runQueue();
      return;
    }
    void this.#answer(message, channel);
  }

  async #runQueue(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#running = next.message;
      await this.#busy(next.message, () => this.#execute(next!));
    }
    this.#running = undefined;
  }

  async #execute({ message, channel }: QueuedCell): Promise<void> {
    const content = await this.#executions.run(message, () => this.#abortQueued()).catch((e) => this.#internalError(e));
    this.#parts.channels.reply(channel, answer(message, "execute_reply", content));
  }

  /** Aborts the cells that were sent before anyone could know of an error, and only those. */
  async #abortQueued(): Promise<void> {
    // Requests may still lie in the socket, if the cell left no time to read it.
    const start = performance.now();
    do await delay(QUIET_MS);
    while (performance.now() - this.#arrivedAt < QUIET_MS && performance.now() - start < DRAIN_MS);
    for (const { message, channel } of this.#queue.splice(0)) {
      await this.#busy(message, async () =>
        this.#parts.channels.reply(channel, answer(message, "execute_reply", { status: "aborted" })),
      );
    }
  }

  async #answer(message: Message, channel: RequestChannel): Promise<void> {
    const type = message.header.msg_type;
    if (channel === "shell") await Promise.race([this.#idle, delay(QUESTION_WAIT_MS, undefined, { ref: false })]);
    await this.#busy(message, async () => {
      const content = this.#contentFor(message);
      if (content === undefined) return;
      const reply = answer(message, type.replace(/_request$/, "_reply"), content);
      this.#parts.channels.reply(channel, reply);
      if (type === "shutdown_request") this.#parts.channels.publish(reply);
    });
    // The answer's `idle` is about the answer; the kernel itself still runs a cell.
    if (this.#running !== undefined) this.#status("busy", this.#running);
    if (type === "shutdown_request") this.#parts.exit();
  }

  /** The content of the reply; `undefined` where a message wants none. */
  #contentFor({ header, content }: Message): JsonObject | undefined {
    const { interpreter, history, log } = this.#parts;
    try {
      switch (header.msg_type) {
        case "kernel_info_request":
          return kernelInfo();
        case "complete_request":
          return completion(interpreter.get(), content);
        case "inspect_request":
          return inspection(interpreter.get(), content);
        case "is_complete_request":
          return completeness(interpreter.get().compiler, stringField(content, "code"));
        case "history_request":
          return history.answer(content);
        case "comm_info_request":
          return { status: "ok", comms: {} };
        case "interrupt_request":
          interpreter.peek()?.interrupt();
          return { status: "ok" };
        case "shutdown_request":
          return { status: "ok", restart: booleanField(content, "restart") };
        default:
          log(`a message of the type ${header.msg_type} is not answered`);
          return undefined;
      }
    } catch (error) {
      return this.#internalError(error);
    }
  }

  /** The reply where the kernel itself failed. */
  #internalError(error: unknown): JsonObject {
    const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
    this.#parts.log(`the kernel failed: ${stack}`);
    return { status: "error", ename: name, evalue: message, traceback: stack.split("\n") };
  }

  async #busy(message: Message, work: () => Promise<void>): Promise<void> {
    this.#status("busy", message);
    try {
      await work();
    } finally {
      this.#status("idle", message);
    }
  }

  #status(state: "busy" | "idle", message: Message): void {
    this.#parts.channels.publish(answer(message, "status", { execution_state: state }));
  }
}
