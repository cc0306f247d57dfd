/** Waiting that a signal ends. */

/** What the promise gives, or undefined as soon as the signal comes; the promise is left alone. */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (!signal) return promise;
  let leave: () => void = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** The items until the signal comes, even while the next one is waited for. */
export async function* untilAborted<T>(
  items: AsyncGenerator<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await unlessAborted(items.next(), signal);
      if (!next || next.done) return;
      yield next.value;
    }
  } finally {
    const closed = items.return(undefined);
    if (signal?.aborted) closed.catch(() => {});
    else await closed;
  }
}
