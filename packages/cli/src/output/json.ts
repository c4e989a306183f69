// The one place where values become JSON, so that every verb writes them alike:
//
//   bigint       a string in hexadecimal, "0x1f": a JSON number would lose bits
//   bytes        an object with the member "bytes": two hexadecimal digits a byte, in order of address
//   undefined    left out as a member, null where something was asked for and is not there
//
// Numbers stay numbers: positions, processors, counts and physical addresses are exact in a double.

/** Plain data that JSON.stringify takes as it is. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** A value as plain data. */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      return `0x${value.toString(16)}`;
    case 'boolean':
    case 'number':
    case 'string':
      return value;
    case 'object':
      return value === null ? null : objectToJson(value);
    default:
      return null;
  }
}

function objectToJson(value: object): Json {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(toJson);
  const members = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    members.flatMap(([name, member]) => (member === undefined ? [] : [[String(name), toJson(member)]])),
  );
}

/** A value as JSON text. */
export function jsonText(value: unknown, indent = 2): string {
  return JSON.stringify(toJson(value), null, indent);
}
