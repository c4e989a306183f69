// The image of x87 and SSE state in memory (SDM, "FXSAVE—Save x87 FPU, MMX Technology, and SSE State", and "Legacy Region
// of an XSAVE Area"): where each register stands, and how it is written and read back. Memory between the parts, and the
// last 48 bytes, belong to software and stay as they are.
import { loadLinear, storeLinear } from '../../memory/system-access.js';
import { X87_DATA_REGISTERS, XMM_REGISTERS } from '../../register/register-file.js';
import type { Cpu } from '../../state/cpu.js';
import { MXCSR_MASK } from './control-and-status.js';

/** Bytes of the image. */
export const IMAGE_BYTES = 512;

const PLACES = { FCW: 0, FSW: 2, FTW: 4, FOP: 6, FIP: 8, FCS: 12, FDP: 16, FDS: 20, MXCSR: 24, mask: 28 } as const;
const [STACK, VECTORS, REGISTER_BYTES, STACK_ENTRY_BYTES] = [32, 160, 16, 10];
/** Of the x87 part: control words and pointers up to MXCSR, then the data registers. */
const POINTERS_END = PLACES.MXCSR;

const TOP_SHIFT = 11n;
const OPCODE = 0x7ffn;
/** FCW: bits 15:13 and 7 are reserved and 0, bit 6 is 1. */
const [FCW_STORED, FCW_FIXED] = [0x1f3fn, 0x40n];
const X87_EXCEPTIONS = 0x3fn;
/** ES and B of FSW follow from the exceptions that FCW does not mask. */
const EXCEPTION_SUMMARY = 0x8080n;

/** The x87 state that FINIT makes, which XSAVE calls the initial configuration. */
export const INITIAL_X87: Readonly<Record<string, bigint>> = {
  FCW: 0x37fn,
  FSW: 0n,
  FTW: 0n,
  FOP: 0n,
  FIP: 0n,
  FCS: 0n,
  FDP: 0n,
  FDS: 0n,
  ...Object.fromEntries(X87_DATA_REGISTERS.map((name) => [name, 0n])),
};
export const INITIAL_MXCSR = 0x1f80n;

/** XMM registers of the mode: eight outside 64-bit mode. */
export function vectorsOf(cpu: Cpu): readonly string[] {
  return cpu.mode === '64-bit' ? XMM_REGISTERS : XMM_REGISTERS.slice(0, 8);
}

/** Data registers from the top of the stack down. */
function stackOf(fsw: bigint): readonly string[] {
  const top = Number((fsw >> TOP_SHIFT) & 7n);
  return X87_DATA_REGISTERS.map((_, index) => X87_DATA_REGISTERS[(top + index) & 7] as string);
}

/** Bytes at an offset of the image. */
export interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function littleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** A value of some bytes in the image. */
export function valueAt(image: Uint8Array, offset: number, bytes: number): bigint {
  return image.subarray(offset, offset + bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The x87 part; with REX.W the pointers are 64 bits wide and have no selectors. */
export function x87Parts(cpu: Cpu, hasWidePointers: boolean): readonly Part[] {
  const control = new Uint8Array(POINTERS_END);
  const put = (offset: number, register: string, bytes: number): void =>
    control.set(littleEndian(cpu.read(register), bytes), offset);
  put(PLACES.FCW, 'FCW', 2);
  put(PLACES.FSW, 'FSW', 2);
  put(PLACES.FTW, 'FTW', 1);
  put(PLACES.FOP, 'FOP', 2);
  put(PLACES.FIP, 'FIP', hasWidePointers ? 8 : 4);
  put(PLACES.FDP, 'FDP', hasWidePointers ? 8 : 4);
  if (!hasWidePointers) {
    put(PLACES.FCS, 'FCS', 2);
    put(PLACES.FDS, 'FDS', 2);
  }
  const stack = new Uint8Array(8 * REGISTER_BYTES);
  for (const [index, name] of stackOf(cpu.read('FSW')).entries())
    stack.set(littleEndian(cpu.read(name), STACK_ENTRY_BYTES), index * REGISTER_BYTES);
  return [
    { offset: 0, bytes: control },
    { offset: STACK, bytes: stack },
  ];
}

/** MXCSR and the mask of its bits that exist. */
export function mxcsrPart(cpu: Cpu): Part {
  return { offset: PLACES.MXCSR, bytes: littleEndian(cpu.read('MXCSR') | (MXCSR_MASK << 32n), 8) };
}

/** The XMM registers of the mode. */
export function vectorPart(cpu: Cpu): Part {
  const names = vectorsOf(cpu);
  const bytes = new Uint8Array(names.length * REGISTER_BYTES);
  for (const [index, name] of names.entries())
    bytes.set(littleEndian(cpu.read(name), REGISTER_BYTES), index * REGISTER_BYTES);
  return { offset: VECTORS, bytes };
}

/** Takes up the x87 part. */
export function restoreX87(cpu: Cpu, image: Uint8Array, hasWidePointers: boolean): void {
  const fcw = (valueAt(image, PLACES.FCW, 2) & FCW_STORED) | FCW_FIXED;
  const fsw = valueAt(image, PLACES.FSW, 2) & ~EXCEPTION_SUMMARY;
  const isPending = (fsw & ~fcw & X87_EXCEPTIONS) !== 0n;
  cpu.set('FCW', fcw);
  cpu.set('FSW', isPending ? fsw | EXCEPTION_SUMMARY : fsw);
  cpu.set('FTW', valueAt(image, PLACES.FTW, 1));
  cpu.set('FOP', valueAt(image, PLACES.FOP, 2) & OPCODE);
  cpu.set('FIP', valueAt(image, PLACES.FIP, hasWidePointers ? 8 : 4));
  cpu.set('FDP', valueAt(image, PLACES.FDP, hasWidePointers ? 8 : 4));
  cpu.set('FCS', hasWidePointers ? 0n : valueAt(image, PLACES.FCS, 2));
  cpu.set('FDS', hasWidePointers ? 0n : valueAt(image, PLACES.FDS, 2));
  for (const [index, name] of stackOf(fsw).entries())
    cpu.set(name, valueAt(image, STACK + index * REGISTER_BYTES, STACK_ENTRY_BYTES));
}

/** The MXCSR of an image. */
export const mxcsrOf = (image: Uint8Array): bigint => valueAt(image, PLACES.MXCSR, 4);

/** Takes up the XMM registers of the mode. */
export function restoreVectors(cpu: Cpu, image: Uint8Array): void {
  for (const [index, name] of vectorsOf(cpu).entries())
    cpu.set(name, valueAt(image, VECTORS + index * REGISTER_BYTES, REGISTER_BYTES));
}

const QUADWORD = 8;

/** Writes parts of an image: all of them or, where one of its pages faults, none. */
export function writeParts(cpu: Cpu, address: bigint, parts: readonly Part[]): void {
  const { tlb } = cpu.draft;
  for (const { offset, bytes } of parts) {
    for (const at of [offset, offset + bytes.length - 1]) {
      const byte = address + BigInt(at);
      tlb.modify8(Number(BigInt.asIntN(32, byte)), Number(BigInt.asIntN(32, byte >> 32n)), 3);
    }
  }
  for (const { offset, bytes } of parts)
    for (let at = 0; at < bytes.length; at += QUADWORD)
      storeLinear(cpu, address + BigInt(offset + at), QUADWORD, valueAt(bytes, at, QUADWORD));
}

/** Reads an image. */
export function readImage(cpu: Cpu, address: bigint, length: number): Uint8Array {
  const image = new Uint8Array(length);
  for (let at = 0; at < length; at += QUADWORD)
    image.set(littleEndian(loadLinear(cpu, address + BigInt(at), QUADWORD), QUADWORD), at);
  return image;
}
