// What MASKMOVQ and MASKMOVDQU have in common: bytes whose bit 7 in the mask is set go to memory at DS:rDI. Where the mask
// selects none the manual leaves faults to the implementation: here memory is not accessed then.
import { storeLinear } from '../memory/system-access.js';
import type { Cpu } from '../state/cpu.js';
import type { Operand } from './operand.js';

/** Stores the selected bytes of a value of the operand's width, or nothing if one of them faults. */
export function storeSelectedBytes(cpu: Cpu, memory: Operand, value: bigint, mask: bigint): void {
  const bytes = Array.from({ length: memory.width / 8 }, (_, index) => BigInt(index));
  const selected = bytes.filter((index) => ((mask >> (index * 8n + 7n)) & 1n) === 1n);
  if (selected.length === 0) return;
  memory.probeWrite();
  const address = memory.linear('write') ?? 0n;
  for (const index of selected) storeLinear(cpu, address + index, 1, (value >> (index * 8n)) & 0xffn);
}
