/** `npm run bench`: this library beside JAX and PyTorch, on the same mathematics. */
import { runProgram } from "./compile.mjs";

await runProgram("run");
