// Memory as the processor itself uses it at linear addresses: descriptor tables, the TSS, a handler's stack. These accesses
// are made with supervisor privilege whatever the CPL is.
import { carriedInto, type Halves, halvesOf } from '../register/halves.js';
import type { Cpu } from '../state/cpu.js';
import { type SegmentIndex, wide } from './linear-memory.js';

const DATA: SegmentIndex = 3;

/** Does implicit supervisor-mode accesses (SDM, "Access Rights"): CPL does not count, nor does RFLAGS.AC lift SMAP. */
export function asSupervisor<Result>(cpu: Cpu, access: () => Result): Result {
  if (cpu.CPL !== 3 && !(cpu.CR4.SMAP && cpu.RFLAGS.AC)) return access();
  const { draft } = cpu;
  draft.enterImplicit();
  try {
    return access();
  } finally {
    draft.leaveImplicit();
  }
}

/**
 * An implicit supervisor-mode load of 2, 4 or 8 bytes at a linear address in halves, zero-extended: the low half, and the
 * high one in `wide`.
 */
export function loadImplicit(cpu: Cpu, low: number, high: number, bytes: 2 | 4 | 8): number {
  if (cpu.CPL !== 3 && !(cpu.CR4.SMAP && cpu.RFLAGS.AC)) return loadWords(cpu, low, high, bytes);
  const { draft } = cpu;
  draft.enterImplicit();
  try {
    return loadWords(cpu, low, high, bytes);
  } finally {
    draft.leaveImplicit();
  }
}

function loadWords({ draft: { tlb } }: Cpu, low: number, high: number, bytes: 2 | 4 | 8): number {
  if (bytes === 8) return tlb.load64(low, high, DATA);
  const value = bytes === 4 ? tlb.load32(low, high, DATA) : tlb.load16(low, high, DATA);
  wide.high = 0;
  return value;
}

/** The linear address of a byte in a table whose base is in a register: 32 bits outside IA-32e mode. */
export function addressIn(cpu: Cpu, baseSlot: number, offset: number): Halves {
  const base = cpu.words[baseSlot * 2] as number;
  const high = cpu.EFER.LMA ? carriedInto(cpu.words[baseSlot * 2 + 1] as number, base, offset) : 0;
  return { low: (base + offset) | 0, high };
}

/** Bytes of a value at a linear address. */
type Bytes = 1 | 2 | 4 | 8;

/** A value at a linear address, zero-extended; raises #PF, #GP(0) or #SS(0). */
export function loadLinear(cpu: Cpu, address: bigint, bytes: Bytes, segment: SegmentIndex = DATA): bigint {
  const { low, high } = halvesOf(address);
  const { tlb } = cpu.draft;
  if (bytes === 1) return BigInt(tlb.load8(low, high, segment));
  if (bytes === 2) return BigInt(tlb.load16(low, high, segment));
  const value = bytes === 4 ? tlb.load32(low, high, segment) : tlb.load64(low, high, segment);
  return BigInt(value >>> 0) | (bytes === 8 ? BigInt(wide.high >>> 0) << 32n : 0n);
}

/** Stores the low bytes of a value at a linear address; raises #PF, #GP(0) or #SS(0). */
export function storeLinear(
  cpu: Cpu,
  address: bigint,
  bytes: Bytes,
  value: bigint,
  segment: SegmentIndex = DATA,
): void {
  const { low, high } = halvesOf(address);
  const { low: valueLow, high: valueHigh } = halvesOf(value);
  const { tlb } = cpu.draft;
  if (bytes === 1) tlb.store8(low, high, segment, valueLow);
  else if (bytes === 2) tlb.store16(low, high, segment, valueLow);
  else if (bytes === 4) tlb.store32(low, high, segment, valueLow);
  else tlb.store64(low, high, segment, valueLow, valueHigh);
}
