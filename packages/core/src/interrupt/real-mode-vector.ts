// Delivery in real-address mode: the interrupt vector table at IDTR.base, four bytes a vector, no error codes.
import { pushed, setStackTop } from '../instruction/stack-access.js';
import type { Cpu } from '../state/cpu.js';
import { GP, raise } from './exceptions.js';
import type { Delivery } from './gate.js';

/** Pushes FLAGS, CS and IP and goes to the vector's far pointer. */
export function deliverThroughVectorTable(cpu: Cpu, { vector }: Delivery): void {
  const offset = vector * 4;
  if (offset + 3 > Number(cpu.read('IDTR.limit'))) raise(GP(vector * 8 + 2), 'core.ivt.limit');
  const { tlb } = cpu.draft;
  const pointer = tlb.load32((Number(cpu.read('IDTR.base')) + offset) | 0, 0, 3) >>> 0;
  // Pushes of words: by SP or, with an SS.B that protected mode left behind, by ESP.
  const values = [cpu.RFLAGS.value, cpu.read('CS.selector'), cpu.RIP].map((value) => value & 0xffffn);
  setStackTop(cpu, pushed(cpu, 2, values));
  const selector = BigInt(pointer >>> 16);
  cpu.set('CS.selector', selector);
  cpu.set('CS.base', selector << 4n);
  cpu.RIP = BigInt(pointer & 0xffff);
  cpu.RFLAGS.IF = false;
  cpu.RFLAGS.TF = false;
  cpu.RFLAGS.AC = false;
}
