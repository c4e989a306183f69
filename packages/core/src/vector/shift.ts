// Shifts of elements by one count, which is the immediate or the low quadword of the second operand; a count beyond the
// element gives zeros, or copies of the sign (SDM, "PSLLW/PSLLD/PSLLQ—Shift Packed Data Left Logical" and its fellows).
import type { Lanes } from './lanes.js';
import type { VectorOperation } from './operation.js';

type Shift = (lanes: Lanes, to: number, from: number, bytes: number, count: number) => void;

const shiftWords =
  (of: (value: number, count: number) => number): Shift =>
  ({ signedWords: lanes }, to, from, bytes, count) => {
    for (let i = 0; i < bytes / 2; i++) lanes[to * 2 + i] = of(lanes[from * 2 + i] as number, count);
  };
const shiftDoublewords =
  (of: (value: number, count: number) => number): Shift =>
  ({ doublewords: lanes }, to, from, bytes, count) => {
    for (let i = 0; i < bytes / 4; i++) lanes[to + i] = of(lanes[from + i] as number, count);
  };
const shiftQuadwords =
  (of: (lanes: Int32Array, to: number, low: number, high: number, count: number) => void): Shift =>
  ({ doublewords: lanes }, to, from, bytes, count) => {
    for (let i = 0; i < bytes / 4; i += 2)
      of(lanes, to + i, lanes[from + i] as number, lanes[from + i + 1] as number, count);
  };

function left64(lanes: Int32Array, to: number, low: number, high: number, count: number): void {
  const isFar = count >= 32;
  const by = count & 31;
  const crossing = by === 0 ? 0 : low >>> (32 - by);
  lanes[to] = count > 63 || isFar ? 0 : low << by;
  lanes[to + 1] = count > 63 ? 0 : isFar ? low << by : (high << by) | crossing;
}

function right64(lanes: Int32Array, to: number, low: number, high: number, count: number): void {
  const isFar = count >= 32;
  const by = count & 31;
  const crossing = by === 0 ? 0 : high << (32 - by);
  lanes[to] = count > 63 ? 0 : isFar ? high >>> by : (low >>> by) | crossing;
  lanes[to + 1] = count > 63 || isFar ? 0 : high >>> by;
}

const SHIFTS = {
  shiftLeft16: shiftWords((value, count) => (count > 15 ? 0 : value << count)),
  shiftLeft32: shiftDoublewords((value, count) => (count > 31 ? 0 : value << count)),
  shiftLeft64: shiftQuadwords(left64),
  shiftRight16: shiftWords((value, count) => (count > 15 ? 0 : (value & 0xffff) >>> count)),
  shiftRight32: shiftDoublewords((value, count) => (count > 31 ? 0 : value >>> count)),
  shiftRight64: shiftQuadwords(right64),
  shiftRightSigned16: shiftWords((value, count) => value >> Math.min(count, 15)),
  shiftRightSigned32: shiftDoublewords((value, count) => value >> Math.min(count, 31)),
} as const satisfies Readonly<Record<string, Shift>>;

/** More than any element has bits. */
const BEYOND = 64;

/** The low quadword as a count. */
function countAt({ unsignedDoublewords: lanes }: Lanes, place: number): number {
  return lanes[place + 1] === 0 ? Math.min(lanes[place] as number, BEYOND) : BEYOND;
}

const byVector = (shift: Shift): VectorOperation => ({
  compute: (lanes, to, left, right, bytes) => shift(lanes, to, left, bytes, countAt(lanes, right)),
});
const byImmediate = (shift: Shift): VectorOperation => ({
  compute: (lanes, to, left, _right, bytes, immediate) => shift(lanes, to, left, bytes, Math.min(immediate, BEYOND)),
});

/** The whole vector by a number of bytes. */
const bytesLeft: VectorOperation = {
  compute: ({ bytes: lanes }, to, left, _right, bytes, immediate) => {
    for (let i = 0; i < bytes; i++) lanes[to * 4 + i] = i < immediate ? 0 : (lanes[left * 4 + i - immediate] as number);
  },
};
const bytesRight: VectorOperation = {
  compute: ({ bytes: lanes }, to, left, _right, bytes, immediate) => {
    for (let i = 0; i < bytes; i++)
      lanes[to * 4 + i] = i + immediate < bytes ? (lanes[left * 4 + i + immediate] as number) : 0;
  },
};

type ShiftName = keyof typeof SHIFTS;
type ByImmediate = `${ShiftName}By`;

function each<Name extends string>(
  name: (shift: ShiftName) => Name,
  row: (shift: Shift) => VectorOperation,
): Readonly<Record<Name, VectorOperation>> {
  return Object.fromEntries(
    (Object.keys(SHIFTS) as ShiftName[]).map((shift) => [name(shift), row(SHIFTS[shift])]),
  ) as Readonly<Record<Name, VectorOperation>>;
}

export const SHIFT_OPERATIONS: Readonly<
  Record<ShiftName | ByImmediate | 'shiftBytesLeft' | 'shiftBytesRight', VectorOperation>
> = {
  ...each((shift) => shift, byVector),
  ...each((shift): ByImmediate => `${shift}By`, byImmediate),
  shiftBytesLeft: bytesLeft,
  shiftBytesRight: bytesRight,
};
