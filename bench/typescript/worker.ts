/** Runs this library's workloads for the benchmark: one request a line on standard input, one answer a line on standard output. */
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { ready, tf } from "marginalia";
import { writeContainer } from "./container.js";
import { probes } from "./probes.js";
import { openSession, type Session } from "./session.js";
import { checkedSteps, writeStart } from "./start.js";
import { variants } from "./variants.js";
import type { Sizes } from "./workload.js";
import { workloads } from "./workloads.js";

type Request =
  | { readonly do: "hello" }
  | { readonly do: "write"; readonly file: string; readonly workload: string; readonly sizes: Sizes }
  | { readonly do: "run"; readonly file: string; readonly variant: string; readonly seconds: number }
  | { readonly do: "check"; readonly file: string; readonly variant: string; readonly out: string }
  | { readonly do: "probe"; readonly probe: keyof typeof probes; readonly shape: number[]; readonly seconds: number }
  | { readonly do: "first"; readonly file: string; readonly variant: string }
  | { readonly do: "forget" };

const sessions = new Map<string, Session>();
const warmUp = 3;

async function answer(request: Request): Promise<object> {
  const { backend, version } = await ready();
  switch (request.do) {
    case "hello": {
      const sizes = Object.fromEntries(Object.entries(workloads).map(([name, { sizes }]) => [name, sizes]));
      const versions = `Node ${process.versions.node}, ${backend} ${version}`;
      return { versions, threads: availableParallelism(), variants: Object.keys(variants), sizes };
    }
    case "write":
      writeStart(request.file, request.workload, request.sizes);
      return {};
    case "run": {
      const name = `${request.file} ${request.variant}`;
      const known = sessions.get(name);
      const begin = performance.now();
      const session = known ?? openSession(request.file, request.variant);
      sessions.set(name, session);
      if (!known) session.step();
      const first = known ? undefined : performance.now() - begin;
      for (let i = 0; i < warmUp; i++) session.step();
      const times: number[] = [];
      const end = performance.now() + 1000 * request.seconds;
      while (times.length < 3 || performance.now() < end) times.push(session.step());
      return { first, times, loss: session.loss() };
    }
    case "check": {
      const session = openSession(request.file, request.variant);
      const losses: number[] = [];
      for (let i = 0; i < checkedSteps; i++) {
        session.step();
        losses.push(session.loss());
        if (i > 0) continue;
        const tensors = session.firstGradient();
        writeContainer(request.out, { tensors, metadata: {} });
        tf.dispose(Object.values(tensors));
      }
      session.dispose();
      return { losses };
    }
    case "probe":
      return { times: probes[request.probe](request.shape, request.seconds) };
    case "first":
      openSession(request.file, request.variant).step();
      return {};
    case "forget":
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
  }
}
