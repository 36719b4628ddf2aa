/** Streams that are charged when they end: read to the last part, broken, or left by the client. */
import type { Hold } from "./hold.js";

export interface Watch<Part> {
  /** Told of each part before it is sent. What it returns is why the work has failed, or undefined. */
  part?(part: Part): unknown;
  /** Told when the stream broke or a part said that it failed, before what was delivered is charged. */
  broken?(): void;
  /** Told when the client left, before what was used is charged. */
  left?(): void;
}

/**
 * The same stream. Its tokens are captured before it closes. If it breaks, what was delivered is charged. If the
 * client leaves (cancels the stream, or aborts `signal`), what was used and delivered is charged.
 */
export function chargedStream<Part>(
  source: ReadableStream<Part>,
  hold: Hold,
  watch: Watch<Part> = {},
  signal?: AbortSignal | null,
): ReadableStream<Part> {
  const reader = source.getReader();
  let failure: unknown;

  const leave = () => {
    if (failure !== undefined) return hold.fail(failure);
    watch.left?.();
    return surely(hold.hangUp(), hold);
  };
  const abort = () => void leave().then(() => reader.cancel(signal?.reason).catch(() => undefined));
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  const done = () => signal?.removeEventListener("abort", abort);

  return new ReadableStream<Part>({
    async pull(controller) {
      try {
        const { value, done: last } = await reader.read();
        if (!last) {
          const failed = watch.part?.(value);
          if (failed !== undefined && failure === undefined) {
            failure = failed;
            watch.broken?.();
          }
          controller.enqueue(value);
          return;
        }
      } catch (error) {
        done();
        if (signal?.aborted === true) {
          await leave();
        } else {
          if (failure === undefined) watch.broken?.();
          await hold.fail(error);
        }
        throw error;
      }
      done();
      await (failure === undefined ? surely(hold.succeed(), hold) : hold.fail(failure));
      controller.close();
    },
    async cancel(reason) {
      done();
      await leave();
      await reader.cancel(reason);
    },
  });
}

/** The parts are with the user already: a charge that fails now is for the log. */
async function surely(charge: Promise<void>, hold: Hold): Promise<void> {
  try {
    await charge;
  } catch (error) {
    console.error(`pgcredits: a stream was delivered, but hold ${hold.holdId} was not charged: ${String(error)}`);
  }
}
