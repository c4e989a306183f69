// Freezing what is handed out: an object with everything in it, so that nobody can change the past by hand.

/** Freezes plain data through and through and returns it. Bytes cannot be frozen: whoever hands them out copies them. */
export function freezeDeeply<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeeply(part);
  return value;
}
