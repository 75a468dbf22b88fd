/** `npm run bench`: this library beside JAX, PyTorch, scikit-learn and gensim, on the same mathematics. */
import { runProgram } from "./compile.mjs";

await runProgram("run");
