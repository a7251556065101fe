// What the program uses and Node 20 lacks. Each entry of the package calls it before it loads the program; a newer Node has all of it.

/** `ArrayBuffer.prototype.transfer`: the contents in a new buffer of that length; the old one is detached. */
export function transferred(from: ArrayBuffer, newLength = from.byteLength): ArrayBuffer {
  const moved = structuredClone(from, { transfer: [from] });
  if (newLength === moved.byteLength) return moved;
  const result = new ArrayBuffer(newLength);
  new Uint8Array(result).set(new Uint8Array(moved, 0, Math.min(newLength, moved.byteLength)));
  return result;
}

/** `ArrayBuffer.prototype.detached` */
export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

/** `URL.parse`: null for what is no URL. */
function parsed(url: string, base?: string): URL | null {
  return URL.canParse(url, base) ? new URL(url, base) : null;
}

export function addMissingBuiltins(prototype: object = ArrayBuffer.prototype): void {
  if (!('parse' in URL)) Object.defineProperty(URL, 'parse', { configurable: true, writable: true, value: parsed });
  if ('transfer' in prototype) return;
  Object.defineProperties(prototype, {
    transfer: {
      configurable: true,
      writable: true,
      value(this: ArrayBuffer, newLength?: number) {
        return transferred(this, newLength);
      },
    },
    detached: {
      configurable: true,
      get(this: ArrayBuffer) {
        return isDetached(this);
      },
    },
  });
}
