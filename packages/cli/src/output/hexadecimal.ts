// Values as people read them.

/** `0x1f`. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** All digits of a width in bits, in groups of four: `0000_0000_0010_0000`. */
export function hexDigits(value: bigint, width: 16 | 32 | 64 | 80 | 128 = 64): string {
  return value
    .toString(16)
    .padStart(width / 4, '0')
    .replace(/(?<=.)(?=(?:.{4})+$)/g, '_');
}

/** Bytes in order of address: `0f 01 c4`. */
function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

const LONGEST_BYTES = 32;

/** Anything that stands at a location; `—` for a place that does not exist. */
export function valueText(value: unknown): string {
  if (value === undefined) return '—';
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) {
    return value.length <= LONGEST_BYTES
      ? hexBytes(value)
      : `${hexBytes(value.subarray(0, LONGEST_BYTES))} … (${value.length} bytes)`;
  }
  if (typeof value === 'object' && value !== null) {
    return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? hex(member) : member));
  }
  return String(value);
}
