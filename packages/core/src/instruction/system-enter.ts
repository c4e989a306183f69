// SDM, "SYSENTER—Fast System Call", "SYSEXIT—Fast Return from Fast System Call". AMD processors have both outside long
// mode only.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { holdsCanonicalAddress } from '../memory/canonical.js';
import { CODE_32, CODE_64, DATA, loadFlatSegments, USER } from '../memory/flat-segment.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { privileged } from './privilege.js';

/** IA32_SYSENTER_CS[15:0] without RPL names CS of the handler; the other three segments follow it in the GDT. */
const INDEX = 0xfffc;
const SS_AFTER_CS = 8;
const USER_32_AFTER_CS = 16;
const USER_64_AFTER_CS = 32;
const USER_RPL = 3;
const HANDLER_CODE = slotOf('IA32_SYSENTER_CS') * 2;
const HANDLER_STACK = slotOf('IA32_SYSENTER_ESP');
const HANDLER_POINTER = slotOf('IA32_SYSENTER_EIP');
const [RCX, RDX, RSP, RIP] = [slotOf('RCX'), slotOf('RDX'), slotOf('RSP'), slotOf('RIP')];
const CLEARED = (1 << RFLAGS.bits.VM) | (1 << RFLAGS.bits.IF);

const SEGMENTS = ['CS', 'SS'].flatMap((name) =>
  ['selector', 'base', 'limit', 'attributes'].map((part) => `${name}.${part}`),
);

const legacyModeOfAmd = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.long-mode`,
  fields: ['IA32_EFER.LMA'],
  when: (cpu) => cpu.profile.vendor === 'AMD' && cpu.EFER.LMA,
  raise: UD,
  explain: `An AMD processor has no ${mnemonic} in long mode: use SYSCALL and SYSRET.`,
});

const protectedMode = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.mode`,
  fields: ['CR0.PE'],
  when: (cpu) => !cpu.CR0.PE,
  raise: GP(0),
  explain: `${mnemonic} needs protected mode: set CR0.PE.`,
});

const codeSelector = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.cs-null`,
  fields: ['IA32_SYSENTER_CS'],
  when: (cpu) => handlerCode(cpu) === 0,
  raise: GP(0),
  explain: 'IA32_SYSENTER_CS must name a code segment: it is null.',
});

/** The selector of the handler's code segment, without RPL. */
const handlerCode = ({ words }: Cpu): number => (words[HANDLER_CODE] as number) & INDEX;

/** Descriptors are not read: software promises that those in the GDT are of such flat segments. */
function enterFlatSegments(cpu: Cpu, code: number, codeAttributes: number, level: number): void {
  loadFlatSegments(cpu, code, codeAttributes | level, code + SS_AFTER_CS, DATA | level);
}

/** A register takes another one as a whole, or in 32-bit code its low half. */
function take(cpu: Cpu, slot: number, from: number, long: boolean): void {
  const { words } = cpu;
  cpu.writeWords(slot, words[from * 2] as number, long ? (words[from * 2 + 1] as number) : 0);
}

export const SYSENTER = defineInstruction({
  mnemonic: 'SYSENTER',
  manual: sdm('SYSENTER—Fast System Call'),
  reads: ['CR0.PE', 'IA32_EFER.LMA', 'IA32_SYSENTER_CS', 'IA32_SYSENTER_ESP', 'IA32_SYSENTER_EIP'],
  writes: ['RIP', 'RSP', 'RFLAGS', ...SEGMENTS],
  flags: 'IF and VM are cleared, the others are unaffected',
  faults: [legacyModeOfAmd('SYSENTER'), protectedMode('SYSENTER'), codeSelector('SYSENTER')],
  effect(cpu) {
    const long = cpu.EFER.LMA;
    cpu.EFLAGS &= ~CLEARED;
    enterFlatSegments(cpu, handlerCode(cpu), long ? CODE_64 : CODE_32, 0);
    take(cpu, RSP, HANDLER_STACK, long);
    take(cpu, RIP, HANDLER_POINTER, long);
  },
});

/** SYSEXIT returns to 32-bit code, with REX.W to 64-bit code. */
export const SYSEXIT = (
  [
    ['SYSEXIT', false],
    ['SYSEXITQ', true],
  ] as const
).map(([mnemonic, long]) => {
  const canonical = (register: 'RCX' | 'RDX', slot: number): FaultRow => ({
    id: `core.${mnemonic.toLowerCase()}.${register.toLowerCase()}-canonical`,
    fields: [register],
    when: (cpu) => long && !holdsCanonicalAddress(cpu, slot),
    raise: GP(0),
    explain: 'RCX becomes the stack pointer and RDX the instruction pointer: both must be canonical.',
  });
  return defineInstruction({
    mnemonic,
    manual: sdm('SYSEXIT—Fast Return from Fast System Call'),
    reads: ['CR0.PE', 'IA32_EFER.LMA', 'IA32_SYSENTER_CS', 'SS.attributes', 'RCX', 'RDX'],
    writes: ['RIP', 'RSP', ...SEGMENTS],
    flags: 'unaffected',
    faults: [
      legacyModeOfAmd(mnemonic),
      protectedMode(mnemonic),
      codeSelector(mnemonic),
      privileged(mnemonic),
      canonical('RCX', RCX),
      canonical('RDX', RDX),
    ],
    effect(cpu) {
      const code = handlerCode(cpu) + (long ? USER_64_AFTER_CS : USER_32_AFTER_CS);
      enterFlatSegments(cpu, (code & 0xffff) | USER_RPL, long ? CODE_64 : CODE_32, USER);
      take(cpu, RSP, RCX, long);
      take(cpu, RIP, RDX, long);
    },
  });
});
