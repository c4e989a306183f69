// SDM, "SYSENTER—Fast System Call", "SYSEXIT—Fast Return from Fast System Call". AMD processors have both outside long
// mode only.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalAddress } from '../memory/canonical.js';
import { CODE_32, CODE_64, DATA, loadFlatSegments, USER } from '../memory/flat-segment.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { privileged } from './privilege.js';

const LOW_HALF = 0xffff_ffffn;
/** IA32_SYSENTER_CS[15:0] without RPL names CS of the handler; the other three segments follow it in the GDT. */
const INDEX = 0xfffcn;
const SS_AFTER_CS = 8n;
const USER_32_AFTER_CS = 16n;
const USER_64_AFTER_CS = 32n;

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
  when: (cpu) => (cpu.read('IA32_SYSENTER_CS') & INDEX) === 0n,
  raise: GP(0),
  explain: 'IA32_SYSENTER_CS must name a code segment: it is null.',
});

/** Descriptors are not read: software promises that those in the GDT are of such flat segments. */
function enterFlatSegments(cpu: Cpu, code: bigint, codeAttributes: number, level: number): void {
  const [selector, stack] = [Number(code), Number(code + SS_AFTER_CS)];
  loadFlatSegments(
    cpu,
    { selector, attributes: codeAttributes | level },
    { selector: stack, attributes: DATA | level },
  );
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
    const width = long ? 64 : 32;
    cpu.RFLAGS.VM = false;
    cpu.RFLAGS.IF = false;
    enterFlatSegments(cpu, cpu.read('IA32_SYSENTER_CS') & INDEX, long ? CODE_64 : CODE_32, 0);
    cpu.RSP = BigInt.asUintN(width, cpu.read('IA32_SYSENTER_ESP'));
    cpu.RIP = BigInt.asUintN(width, cpu.read('IA32_SYSENTER_EIP'));
  },
});

/** SYSEXIT returns to 32-bit code, with REX.W to 64-bit code. */
export const SYSEXIT = (
  [
    ['SYSEXIT', false],
    ['SYSEXITQ', true],
  ] as const
).map(([mnemonic, long]) => {
  const canonical = (register: 'RCX' | 'RDX'): FaultRow => ({
    id: `core.${mnemonic.toLowerCase()}.${register.toLowerCase()}-canonical`,
    fields: [register],
    when: (cpu) => long && !isCanonicalAddress(cpu, cpu[register]),
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
      canonical('RCX'),
      canonical('RDX'),
    ],
    effect(cpu) {
      const base = cpu.read('IA32_SYSENTER_CS') & INDEX;
      const code = (base + (long ? USER_64_AFTER_CS : USER_32_AFTER_CS)) | 3n;
      const [stack, target] = [cpu.RCX, cpu.RDX];
      enterFlatSegments(cpu, code & 0xffffn, long ? CODE_64 : CODE_32, USER);
      cpu.RSP = long ? stack : stack & LOW_HALF;
      cpu.RIP = long ? target : target & LOW_HALF;
    },
  });
});
