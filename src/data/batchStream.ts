/** A place between two documents of a file. */
export interface StreamPosition {
  /** Bytes before it. */
  readonly byte: number;
  /** Lines before it. */
  readonly line: number;
  /** Documents before it. */
  readonly documents: number;
}

/** A batch, and where the file goes on. */
export interface StreamedBatch<Batch> {
  readonly batch: Batch;
  /** S, how many data it has. */
  readonly size: number;
  readonly next: StreamPosition;
}

/** Data that are read a batch at a time, in an order of their own, from any place where a batch ended before. */
export interface BatchStream<Batch> {
  /** For errors. */
  readonly name: string;
  /** N, how many data a pass has. */
  readonly total: number;
  /** S; the last batch of a pass may have more or fewer. */
  readonly batchSize: number;
  /** Batches in a pass. */
  readonly batches: number;
  /** What tells this stream from others, by name: a checkpoint is gone on from only where all of it is the same. */
  readonly identity: Readonly<Record<string, string | number>>;
  /** One pass, or what is left of it. */
  open(from?: StreamPosition): AsyncIterable<StreamedBatch<Batch>>;
}
