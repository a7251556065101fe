// Lets an async generator run ahead of its consumer by a bounded number of items.

/**
 * @param depth how many items may be asked for before they are wanted
 * @param discard gets what was produced but never consumed, when the consumer stops early
 */
export async function* readAhead<T>(
  source: AsyncGenerator<T>,
  depth: number,
  discard: (item: T) => void,
): AsyncGenerator<T> {
  const ahead: Promise<IteratorResult<T>>[] = [];
  try {
    for (;;) {
      while (ahead.length < depth) {
        const next = source.next();
        // Looked at when its turn comes; until then a failure must not count as unhandled.
        next.catch(() => undefined);
        ahead.push(next);
      }
      const result = await ahead.shift();
      if (result === undefined || result.done === true) return;
      yield result.value;
    }
  } finally {
    for (const next of ahead) {
      next.then(
        (result) => result.done !== true && discard(result.value),
        () => undefined,
      );
    }
  }
}
