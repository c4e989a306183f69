// The instruction vectors of test/conformance/vectors: their form (see the README there) and how a file is read.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

type Hex = string;

/** One vector: a state, bytes to execute, and the state that a processor left. */
export interface Vector {
  readonly id: string;
  readonly code: Hex;
  readonly in: {
    readonly regs?: Readonly<Record<string, Hex>>;
    readonly flags: Hex;
    readonly mem?: readonly (readonly [address: Hex, bytes: Hex])[];
  };
  readonly out: {
    readonly regs?: Readonly<Record<string, Hex>>;
    readonly flags: Hex;
    readonly rip: Hex;
    readonly mem?: readonly (readonly [address: Hex, bytes: Hex])[];
  };
  /** Vector, error code, and CR2 of a page fault. */
  readonly exc?: readonly [vector: number, errorCode: number, address?: Hex];
  /** Status flags that the manual leaves undefined. */
  readonly undef?: Hex;
  readonly undefRegs?: readonly string[];
  /** Of a program: instructions executed. */
  readonly retired?: number;
}

/** The vectors of a family: `alu`. */
export function readVectors(family: string): readonly Vector[] {
  const file = new URL(`../conformance/vectors/${family}.jsonl.gz`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Vector);
}

/** Bytes as printed, two digits each. */
export function bytesOf(hex: Hex): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

export const numberOf = (hex: Hex): bigint => BigInt(`0x${hex}`);
