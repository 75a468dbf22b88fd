import { setTimeout as delay } from "node:timers/promises";
import { Publisher, Reply, Router } from "zeromq";
import type { Connection } from "./connection.js";
import { ConnectionError } from "./connection.js";
import { decode, encode, type Message } from "./message.js";

const LAST_WORDS_MS = 100;

/** The two channels on which requests arrive. */
export type RequestChannel = "shell" | "control";

/** Called for every well-formed request with the right signature. */
export type RequestHandler = (request: Message, channel: RequestChannel) => void;

/** The kernel's five ZeroMQ sockets: the only part of the kernel that knows ZeroMQ and signatures. */
export class Channels {
  readonly #connection: Connection;
  readonly #log: (line: string) => void;
  readonly #routers: Record<RequestChannel, Router> = { shell: new Router(), control: new Router() };
  // A high-water mark of 0 lets a fast loop print as much as it likes; with the default of 1,000 the rest would be dropped. A timeout of 0 has
  // every message sent at once; else ZeroMQ puts every 513th off to the event loop's next turn, which a synchronous loop never grants, and
  // meanwhile refuses others.
  readonly #iopub: Publisher = new Publisher({ sendHighWaterMark: 0, sendTimeout: 0 });
  readonly #stdin: Router = new Router();
  readonly #heartbeat: Reply = new Reply();
  #replies: Promise<void> = Promise.resolve();

  constructor(connection: Connection, log: (line: string) => void) {
    this.#connection = connection;
    this.#log = log;
  }

  /**
   * Binds the sockets and starts to receive.
   *
   * @throws ConnectionError if a port is taken or the address cannot be bound.
   */
  async open(handle: RequestHandler): Promise<void> {
    const { shellPort, controlPort, iopubPort, stdinPort, heartbeatPort } = this.#connection;
    await this.#bind(this.#routers.shell, shellPort);
    await this.#bind(this.#routers.control, controlPort);
    await this.#bind(this.#iopub, iopubPort);
    await this.#bind(this.#stdin, stdinPort);
    await this.#bind(this.#heartbeat, heartbeatPort);
    void this.#receive("shell", handle);
    void this.#receive("control", handle);
    void this.#beat();
  }

  /** Publishes a message to every client. */
  publish(message: Message): void {
    void this.#iopub.send(encode({ ...message, identities: [] }, this.#connection.key));
  }

  /** Sends a reply to the client that asked. */
  reply(channel: RequestChannel, message: Message): void {
    const frames = encode(message, this.#connection.key);
    // A router takes one message at a time.
    this.#replies = this.#replies
      .then(() => this.#routers[channel].send(frames))
      .catch((error: unknown) => this.#log(`a reply could not be sent: ${String(error)}`));
  }

  /** Waits until the replies are on their way, then closes the sockets. */
  async close(): Promise<void> {
    await this.#replies;
    // ZeroMQ sends from a thread of its own and does not say when it is done; a process that exits at once takes its last words with it.
    await delay(LAST_WORDS_MS);
    const { shell, control } = this.#routers;
    for (const socket of [shell, control, this.#iopub, this.#stdin, this.#heartbeat]) socket.close();
  }

  async #bind(socket: Router | Publisher | Reply, port: number): Promise<void> {
    const host = this.#connection.ip.includes(":") ? `[${this.#connection.ip}]` : this.#connection.ip;
    socket.linger = 1000;
    try {
      await socket.bind(`tcp://${host}:${port}`);
    } catch (error) {
      throw new ConnectionError(`The kernel cannot listen on ${host}:${port}: ${(error as Error).message}.`);
    }
  }

  async #receive(channel: RequestChannel, handle: RequestHandler): Promise<void> {
    for await (const frames of this.#routers[channel]) {
      try {
        handle(decode(frames, this.#connection.key), channel);
      } catch (error) {
        this.#log(`ignored on ${channel}: ${(error as Error).message}`);
      }
    }
  }

  async #beat(): Promise<void> {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames);
  }
}
