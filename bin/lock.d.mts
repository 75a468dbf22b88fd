export interface LockOptions {
  readonly onWait?: (holder: number | undefined) => void;
  readonly signal?: AbortSignal;
}

export function withLock<T>(path: string, work: () => Promise<T>, options?: LockOptions): Promise<T>;
