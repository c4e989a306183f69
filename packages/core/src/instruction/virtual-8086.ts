// SDM, "8086 Emulation": which instructions IOPL holds back in virtual-8086 mode, and what CR4.VME and CR4.PVI give instead:
// virtual interrupts (VIF and VIP), and software interrupts that go to the 8086 program's own vectors.
import { GP, raise } from '../interrupt/exceptions.js';
import { asSupervisor, loadLinear } from '../memory/system-access.js';
import { loadVirtual8086Segment } from '../memory/virtual-8086-segment.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import type { FaultRow } from './define.js';
import { pushed, setStackTop } from './stack-access.js';

const IOPL_SHIFT = 12n;
const IOPL = 3n << IOPL_SHIFT;
const IOPL_WORD = Number(IOPL);
const { TF, IF, VIP } = RFLAGS.bits;
const bit = (number: number): bigint => 1n << BigInt(number);
const LOW_WORD = 0xffffn;

const inVirtual8086 = (cpu: Cpu): boolean => cpu.mode === 'virtual-8086';

/** Whether IOPL keeps the program from the interrupt flag. */
export const isHeldBack = (cpu: Cpu): boolean => inVirtual8086(cpu) && (cpu.EFLAGS & IOPL_WORD) !== IOPL_WORD;

/** VIF stands in for IF: in virtual-8086 mode with CR4.VME, at CPL 3 of protected mode with CR4.PVI. */
export const hasVirtualInterrupts = (cpu: Cpu): boolean =>
  inVirtual8086(cpu) ? cpu.CR4.VME : cpu.CR0.PE && cpu.CR4.PVI && cpu.CPL === 3;

/** PUSHF, POPF and IRET are #GP(0) below IOPL 3, but for their 16-bit forms with CR4.VME. */
export const needsMonitor = (mnemonic: string, bytes: 2 | 4 | 8): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.iopl`,
  fields: ['RFLAGS', 'CR4.VME'],
  when: (cpu) => isHeldBack(cpu) && !(cpu.CR4.VME && bytes === 2),
  raise: GP(0),
  explain: `In virtual-8086 mode ${mnemonic} needs RFLAGS.IOPL = 3: the monitor handles the exception.`,
});

/** FLAGS as a held-back program sees them: IF is VIF, and IOPL is 3. */
export function virtualFlags(cpu: Cpu): bigint {
  const flags = (cpu.RFLAGS.value & LOW_WORD) | IOPL;
  return cpu.RFLAGS.VIF ? flags | bit(IF) : flags & ~bit(IF);
}

/** FLAGS as a held-back program sets them: RFLAGS with IF gone to VIF; #GP(0) for what only the monitor can do. */
export function flagsFromVirtual(cpu: Cpu, image: bigint): bigint {
  const flags = cpu.RFLAGS.value;
  if ((image & bit(TF)) !== 0n || ((image & bit(IF)) !== 0n && (flags & bit(VIP)) !== 0n))
    raise(GP(0), 'core.virtual-8086.vip-or-tf');
  const kept = flags & ~(LOW_WORD & ~(IOPL | bit(IF))) & ~bit(RFLAGS.bits.VIF);
  const virtual = (image & bit(IF)) !== 0n ? bit(RFLAGS.bits.VIF) : 0n;
  return kept | (image & LOW_WORD & ~(IOPL | bit(IF))) | virtual;
}

/** Bytes of the map of software interrupts, which ends where the I/O permission bit map begins. */
const REDIRECTION_BYTES = 32n;
const IO_MAP_BASE = 102n;

/** Whether INT n goes to the 8086 program's own vector: its bit in the TSS is 0 and CR4.VME is 1. */
export function isRedirected(cpu: Cpu, vector: number): boolean {
  if (!inVirtual8086(cpu) || !cpu.CR4.VME) return false;
  const [base, limit] = [cpu.read('TR.base'), cpu.read('TR.limit')];
  return asSupervisor(cpu, () => {
    if (limit < IO_MAP_BASE + 1n) raise(GP(0), 'core.virtual-8086.redirection-map');
    const byte = loadLinear(cpu, base + IO_MAP_BASE, 2) - REDIRECTION_BYTES + BigInt(vector >> 3);
    if (byte < 0n || byte > limit) raise(GP(0), 'core.virtual-8086.redirection-map');
    return ((Number(loadLinear(cpu, base + byte, 1)) >> (vector & 7)) & 1) === 0;
  });
}

/** An interrupt within the 8086 program: through the vectors at linear address 0. */
export function interrupt8086(cpu: Cpu, vector: number): void {
  const heldBack = isHeldBack(cpu);
  const flags = heldBack ? virtualFlags(cpu) : cpu.RFLAGS.value;
  const target = asSupervisor(cpu, () => loadLinear(cpu, BigInt(vector * 4), 4));
  setStackTop(
    cpu,
    pushed(
      cpu,
      2,
      [flags, cpu.read('CS.selector'), cpu.RIP].map((value) => value & LOW_WORD),
    ),
  );
  loadVirtual8086Segment(cpu, 'CS', Number(target >> 16n));
  cpu.RIP = target & LOW_WORD;
  cpu.RFLAGS.TF = false;
  cpu.RFLAGS.RF = false;
  cpu.RFLAGS[heldBack ? 'VIF' : 'IF'] = false;
}
