export interface BuildOptions {
  readonly onStart?: () => void;
}

export function build(options?: BuildOptions): Promise<"built" | "current" | "failed">;
