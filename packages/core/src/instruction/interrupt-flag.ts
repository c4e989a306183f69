// SDM, "Flag Control (EFLAG) Instructions": CLI and STI, and the virtual interrupt flag that they change
// instead with CR4.VME and CR4.PVI.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { hasVirtualInterrupts } from './virtual-8086.js';

const IOPL_SHIFT = 12;

/** CPL is 0 in real-address mode and 3 in virtual-8086 mode, so that one comparison serves all modes. */
const mayChangeInterruptFlag = (cpu: Cpu): boolean => cpu.CPL <= ((cpu.EFLAGS >> IOPL_SHIFT) & 3);

const needsIopl = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.iopl`,
  fields: ['RFLAGS', 'SS.attributes'],
  when: (cpu) => !mayChangeInterruptFlag(cpu) && !hasVirtualInterrupts(cpu),
  raise: GP(0),
  explain: `${mnemonic} needs a CPL at or below RFLAGS.IOPL, or virtual interrupts by CR4.VME or CR4.PVI.`,
});

export const CLI = defineInstruction({
  mnemonic: 'CLI',
  manual: sdm('CLI—Clear Interrupt Flag'),
  reads: ['RFLAGS', 'SS.attributes'],
  writes: ['RFLAGS.IF', 'RFLAGS.VIF'],
  flags: 'IF or VIF is cleared, the others are unaffected',
  faults: [needsIopl('CLI')],
  intrinsics: { cli: { operands: [] } },
  effect(cpu) {
    cpu.RFLAGS[mayChangeInterruptFlag(cpu) ? 'IF' : 'VIF'] = false;
  },
});

export const STI = defineInstruction({
  mnemonic: 'STI',
  manual: sdm('STI—Set Interrupt Flag'),
  reads: ['RFLAGS', 'SS.attributes'],
  writes: ['RFLAGS.IF', 'RFLAGS.VIF', 'interruptShadow'],
  flags: 'IF or VIF is set, the others are unaffected',
  faults: [
    needsIopl('STI'),
    {
      id: 'core.sti.vip',
      fields: ['RFLAGS'],
      when: (cpu) => !mayChangeInterruptFlag(cpu) && cpu.RFLAGS.VIP,
      raise: GP(0),
      explain: 'A virtual interrupt is pending: the monitor delivers it.',
    },
  ],
  intrinsics: { sti: { operands: [] } },
  effect(cpu) {
    if (!mayChangeInterruptFlag(cpu)) {
      cpu.RFLAGS.VIF = true;
      return;
    }
    // Interrupts that were off stay held back for one more instruction, so that STI; HLT and STI; RET are safe.
    if (!cpu.RFLAGS.IF) cpu.interruptShadow = 'sti';
    cpu.RFLAGS.IF = true;
  },
});
