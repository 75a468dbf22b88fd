/** Why a step cannot be compiled. The step itself may be sound, and run eagerly. */
export class CompileError extends Error {
  override readonly name: string = "CompileError";

  constructor(reason: string) {
    super(`compile: ${reason}`);
  }
}
