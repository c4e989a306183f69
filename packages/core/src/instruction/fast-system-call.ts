// SDM, "SYSCALL—Fast System Call", "SYSRET—Return From Fast System Call"; what AMD processors have outside 64-bit mode is
// from the APM's pages of the same names.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalAddress } from '../memory/canonical.js';
import { CODE_32, CODE_64, DATA, loadFlatSegments, USER } from '../memory/flat-segment.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { mergeFlags } from './flags-on-stack.js';
import { privileged } from './privilege.js';

const RF = 1n << BigInt(RFLAGS.bits.RF);
const IF = 1n << BigInt(RFLAGS.bits.IF);
/** What SYSCALL clears outside long mode, where nothing keeps the flags. */
const LEGACY_CLEARED = RF | IF | (1n << BigInt(RFLAGS.bits.VM));
/** What SYSRET takes from R11: everything but RF and VM. */
const RETURNED_FLAGS = 0x3c_7fd7n;
const LOW_WORD = 0xffffn;
const LOW_HALF = 0xffff_ffffn;

const enabled = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.sce`,
  fields: ['IA32_EFER.SCE'],
  when: (cpu) => !cpu.EFER.SCE,
  raise: UD,
  explain: `${mnemonic} needs IA32_EFER.SCE.`,
});

const in64BitMode = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.mode`,
  fields: ['CS.attributes', 'IA32_EFER.LMA'],
  when: (cpu) => cpu.mode !== '64-bit' && cpu.profile.vendor === 'Intel',
  raise: UD,
  explain: `${mnemonic} is recognised in 64-bit mode only by an Intel processor.`,
});

const protectedMode = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.real-mode`,
  fields: ['CR0.PE'],
  when: (cpu) => !cpu.CR0.PE,
  raise: GP(0),
  explain: `${mnemonic} needs protected mode: set CR0.PE.`,
});

const STAR = ['IA32_STAR', 'IA32_EFER.SCE', 'CS.attributes', 'IA32_EFER.LMA'];
const SEGMENTS = [
  'CS.selector',
  'CS.base',
  'CS.limit',
  'CS.attributes',
  'SS.selector',
  'SS.base',
  'SS.limit',
  'SS.attributes',
];

export const SYSCALL = defineInstruction({
  mnemonic: 'SYSCALL',
  manual: sdm('SYSCALL—Fast System Call'),
  reads: [...STAR, 'IA32_LSTAR', 'IA32_CSTAR', 'IA32_FMASK', 'RFLAGS'],
  writes: ['RCX', 'R11', 'RIP', 'RFLAGS', ...SEGMENTS],
  flags: 'those in IA32_FMASK are cleared; outside long mode IF, RF and VM',
  faults: [in64BitMode('SYSCALL'), enabled('SYSCALL')],
  effect(cpu) {
    cpu.draft.runner.singleStepping.trapFlag = 'after'; // IA32_FMASK decides whether the first step of the kernel traps
    const long = cpu.EFER.LMA;
    const selector = Number((cpu.read('IA32_STAR') >> 32n) & 0xfffcn);
    const flags = cpu.RFLAGS.value;
    cpu.RCX = cpu.RIP; // of the next instruction
    if (long) {
      cpu.R11 = flags;
      cpu.RIP = cpu.read(cpu.mode === '64-bit' ? 'IA32_LSTAR' : 'IA32_CSTAR');
      cpu.RFLAGS.value = flags & ~cpu.read('IA32_FMASK') & ~RF;
    } else {
      cpu.RIP = cpu.read('IA32_STAR') & LOW_HALF;
      cpu.RFLAGS.value = flags & ~LEGACY_CLEARED;
    }
    const attributes = long ? CODE_64 : CODE_32;
    loadFlatSegments(cpu, { selector, attributes }, { selector: selector + 8, attributes: DATA });
  },
});

function sysret(mnemonic: 'SYSRET' | 'SYSRETQ', long: boolean) {
  const canonical: FaultRow = {
    id: `core.${mnemonic.toLowerCase()}.canonical`,
    fields: ['RCX'],
    when: (cpu) => long && !isCanonicalAddress(cpu, cpu.RCX),
    raise: GP(0),
    explain: 'RCX is where SYSRET returns to: it must be canonical.',
    note: 'An AMD processor raises the exception after the return, with CPL 3; here both vendors raise it before.',
  };
  return defineInstruction({
    mnemonic,
    manual: sdm('SYSRET—Return From Fast System Call'),
    reads: [...STAR, 'RCX', 'R11', 'SS.attributes'],
    writes: ['RIP', 'RFLAGS', ...SEGMENTS],
    flags: 'taken from R11, but for RF and VM',
    faults: [in64BitMode(mnemonic), enabled(mnemonic), protectedMode(mnemonic), privileged(mnemonic), canonical],
    effect: (cpu) => returnToUser(cpu, long),
  });
}

function returnToUser(cpu: Cpu, long: boolean): void {
  const base = Number((cpu.read('IA32_STAR') >> 48n) & LOW_WORD);
  const flags = cpu.mode === '64-bit' ? mergeFlags(cpu, cpu.R11 & RETURNED_FLAGS, ~0n) : cpu.RFLAGS.value | IF; // R11 is out of reach
  cpu.draft.runner.singleStepping.trapFlag = 'after'; // as if SYSCALL had just been completed
  cpu.RIP = long ? cpu.RCX : cpu.RCX & LOW_HALF;
  cpu.RFLAGS.value = flags;
  const code = { selector: (long ? base + 16 : base) | 3, attributes: (long ? CODE_64 : CODE_32) | USER };
  loadFlatSegments(cpu, code, { selector: (base + 8) | 3, attributes: DATA | USER });
}

export const SYSRET = sysret('SYSRET', false);
export const SYSRETQ = sysret('SYSRETQ', true);
