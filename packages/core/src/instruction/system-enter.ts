// SDM, "SYSENTER—Fast System Call", "SYSEXIT—Fast Return from Fast System Call". AMD processors have both outside long
// mode only.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { holdsCanonicalAddress } from '../memory/canonical.js';
import { CR0 as CONTROL, EFER as FEATURES } from '../register/control-registers.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { type FastTransfer, makeTransfer, type TransferGuard } from './fast-transfer.js';
import { privileged } from './privilege.js';

/** IA32_SYSENTER_CS[15:0] without RPL names CS of the handler; the other three segments follow it in the GDT. */
const INDEX = 0xfffc;
const SS_AFTER_CS = 8;
const USER_32_AFTER_CS = 16;
const USER_64_AFTER_CS = 32;
const HANDLER_CODE = slotOf('IA32_SYSENTER_CS');
const HANDLER_STACK = slotOf('IA32_SYSENTER_ESP');
const HANDLER_POINTER = slotOf('IA32_SYSENTER_EIP');
const [RCX, RDX] = [slotOf('RCX'), slotOf('RDX')];
const [CR0, EFER, SS_ATTRIBUTES] = [slotOf('CR0'), slotOf('IA32_EFER'), slotOf('SS.attributes')];
const [PE, LMA, DPL] = [1 << CONTROL.bits.PE, 1 << FEATURES.bits.LMA, 0x60];
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
const handlerCode = ({ words }: Cpu): number => (words[HANDLER_CODE * 2] as number) & INDEX;

/** Descriptors are not read: software promises that those in the GDT are of such flat segments. */
const enter = (long: boolean): FastTransfer => ({
  selectors: { slot: HANDLER_CODE, bit: 0, code: 0, stack: SS_AFTER_CS },
  level: 0,
  long,
  pointer: HANDLER_POINTER,
  stackPointer: HANDLER_STACK,
  flags: { cleared: CLEARED, set: 0 },
});
const [ENTER_LEGACY, ENTER_LONG] = [enter(false), enter(true)];

/** The checks that generated code can tell without them. In 64-bit code CR0.PE and IA32_EFER.LMA are 1. */
const guards = (mode64: boolean): readonly TransferGuard[] => [
  ...(mode64
    ? []
    : ([
        { slot: CR0, bits: PE, are: 'one' },
        { slot: EFER, bits: LMA, are: 'zero' },
      ] as const)),
  { slot: HANDLER_CODE, bits: INDEX, are: 'some' },
];

export const SYSENTER = defineInstruction({
  mnemonic: 'SYSENTER',
  manual: sdm('SYSENTER—Fast System Call'),
  reads: ['CR0.PE', 'IA32_EFER.LMA', 'IA32_SYSENTER_CS', 'IA32_SYSENTER_ESP', 'IA32_SYSENTER_EIP'],
  writes: ['RIP', 'RSP', 'RFLAGS', ...SEGMENTS],
  flags: 'IF and VM are cleared, the others are unaffected',
  faults: [legacyModeOfAmd('SYSENTER'), protectedMode('SYSENTER'), codeSelector('SYSENTER')],
  effect: (cpu) => makeTransfer(cpu, cpu.EFER.LMA ? ENTER_LONG : ENTER_LEGACY),
  transfer: (mode64, vendor) =>
    mode64 && vendor === 'AMD'
      ? undefined
      : { transfer: mode64 ? ENTER_LONG : ENTER_LEGACY, guards: guards(mode64), canonical: [] },
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
  const stack = (long ? USER_64_AFTER_CS : USER_32_AFTER_CS) + SS_AFTER_CS;
  const leave: FastTransfer = {
    selectors: { slot: HANDLER_CODE, bit: 0, code: stack - SS_AFTER_CS, stack },
    level: 3,
    long,
    pointer: RDX,
    stackPointer: RCX,
  };
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
    effect: (cpu) => makeTransfer(cpu, leave),
    /** From 64-bit code to 32-bit code more changes than generated code knows. */
    transfer: (mode64, vendor) =>
      mode64 !== long || (mode64 && vendor === 'AMD')
        ? undefined
        : {
            transfer: leave,
            guards: [...guards(mode64), { slot: SS_ATTRIBUTES, bits: DPL, are: 'zero' }],
            canonical: long ? [RCX, RDX] : [],
          },
  });
});
