// What was found, in a message. Data of a file can be anything, a `toString` that is no function included.

const MOST_CHARACTERS = 80;

/** A value for a sentence: primitives as they are, up to 80 characters; of everything else only what it is. */
export function describeFound(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
  }
  const text = String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
