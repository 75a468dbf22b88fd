import { type ErrorReport, report } from "./errors.js";
import type { History } from "./history.js";
import { describeAt } from "./inspection.js";
import type { Interpreter, Outcome } from "./interpreter.js";
import { booleanField, type JsonObject, objectField, stringField } from "./json.js";
import type { Lazy } from "./lazy.js";
import type { Message } from "./message.js";
import type { OutputPublisher } from "./publisher.js";
import { bundleOf } from "./result.js";

/** What an `execute_request` asks for. */
interface Request {
  readonly code: string;
  readonly silent: boolean;
  readonly storeHistory: boolean;
  readonly stopOnError: boolean;
  readonly userExpressions: JsonObject;
}

/** A name followed by `?` asks for its documentation. */
const HELP = /^\s*([\w$.]+)\s*\?\s*$/;

/** Runs the cells that clients send and publishes what comes of them. */
export class Executions {
  readonly #interpreter: Lazy<Interpreter>;
  readonly #publisher: OutputPublisher;
  readonly #history: History;
  #count = 0;
  #expressions = 0;

  constructor(interpreter: Lazy<Interpreter>, publisher: OutputPublisher, history: History) {
    this.#interpreter = interpreter;
    this.#publisher = publisher;
    this.#history = history;
  }

  /**
   * Runs one cell.
   *
   * @param beforeError - called after a cell failed that asked to stop on errors, and before anyone can know of the failure: what was sent until then
   * was sent without knowing.
   */
  async run(message: Message, beforeError: () => Promise<void>): Promise<JsonObject> {
    const request = readRequest(message.content);
    if (request.storeHistory) this.#history.add(++this.#count, request.code);
    this.#publisher.begin(message, request.silent);
    this.#publisher.publish("execute_input", { code: request.code, execution_count: this.#count });

    const help = HELP.exec(request.code);
    if (help !== null) return this.#help(help[1]!);
    const outcome = await this.#evaluate(request.code, this.#nameOf(request));
    if ("ename" in outcome) {
      if (request.stopOnError) await beforeError();
      this.#publisher.publish("error", { ...outcome });
      return { status: "error", execution_count: this.#count, ...outcome, user_expressions: {}, payload: [] };
    }
    if (outcome.data !== undefined) {
      if (request.storeHistory) this.#history.setOutput(outcome.data);
      this.#publisher.publish("execute_result", { execution_count: this.#count, data: outcome.data, metadata: {} });
    }
    this.#publisher.flush();
    return this.#ok([], await this.#userExpressions(request.userExpressions));
  }

  #ok(payload: JsonObject[], userExpressions: JsonObject): JsonObject {
    return { status: "ok", execution_count: this.#count, payload, user_expressions: userExpressions };
  }

  #help(name: string): JsonObject {
    const data = describeAt(this.#interpreter.get(), name, name.length) ?? {
      "text/plain": `Nothing is known about ${name}.`,
    };
    return this.#ok([{ source: "page", data, start: 0 }], {});
  }

  #nameOf({ storeHistory }: Request): string {
    return storeHistory ? `cell-${this.#count}.ts` : this.#expressionName();
  }

  #expressionName(): string {
    return `cell-unnumbered-${++this.#expressions}.ts`;
  }

  async #evaluate(code: string, name: string): Promise<{ data?: JsonObject } | ErrorReport> {
    const interpreter = this.#interpreter.get();
    const findCell = (cell: string) => interpreter.cell(cell);
    let outcome: Outcome = await interpreter.run(code, name);
    if (outcome.status === "ok") {
      if (outcome.value === undefined) return {};
      try {
        return { data: await bundleOf(outcome.value) };
      } catch (error) {
        outcome = { status: "thrown", errors: [error] };
      }
    }
    return report(outcome, code, findCell);
  }

  async #userExpressions(expressions: JsonObject): Promise<JsonObject> {
    const results: JsonObject = {};
    for (const [key, expression] of Object.entries(expressions)) {
      const outcome = await this.#evaluate(String(expression), this.#expressionName());
      if ("ename" in outcome) results[key] = { status: "error", ...outcome };
      else results[key] = { status: "ok", data: outcome.data ?? { "text/plain": "undefined" }, metadata: {} };
    }
    return results;
  }
}

function readRequest(content: JsonObject): Request {
  const silent = booleanField(content, "silent");
  return {
    code: stringField(content, "code"),
    silent,
    storeHistory: booleanField(content, "store_history", true) && !silent,
    stopOnError: booleanField(content, "stop_on_error", true),
    userExpressions: objectField(content, "user_expressions"),
  };
}
