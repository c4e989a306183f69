// Memory as the processor itself uses it at linear addresses: descriptor tables, the TSS, a handler's stack. These accesses
// are made with supervisor privilege whatever the CPL is.
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

/** The halves of an address or a value as signed 32-bit integers. */
function halves(value: bigint): readonly [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** Bytes of a value at a linear address. */
type Bytes = 1 | 2 | 4 | 8;

/** A value at a linear address, zero-extended; raises #PF, #GP(0) or #SS(0). */
export function loadLinear(cpu: Cpu, address: bigint, bytes: Bytes, segment: SegmentIndex = DATA): bigint {
  const [low, high] = halves(address);
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
  const [low, high] = halves(address);
  const [valueLow, valueHigh] = halves(value);
  const { tlb } = cpu.draft;
  if (bytes === 1) tlb.store8(low, high, segment, valueLow);
  else if (bytes === 2) tlb.store16(low, high, segment, valueLow);
  else if (bytes === 4) tlb.store32(low, high, segment, valueLow);
  else tlb.store64(low, high, segment, valueLow, valueHigh);
}
