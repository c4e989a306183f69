// SDM, "XGETBV—Get Value of Extended Control Register", "XSETBV—Set Extended Control Register": XCR0, which says what
// state the XSAVE instructions manage, and for XGETBV with ECX = 1 what of it is in use.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { cpuidOf } from '../register/cpuid.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { privileged } from './privilege.js';
import { componentsInUse } from './sse/xsave.js';

const LOW_HALF = 0xffff_ffffn;
const STATE_COMPONENTS = 0x0d;
/** Bits of XCR0. */
const X87 = 1n;
const SSE = 2n;
const AVX = 4n;
/** BNDREGS and BNDCSR; opmask, ZMM_Hi256 and Hi16_ZMM; TILECFG and TILEDATA: all of a group or none. */
const GROUPS = [0x18n, 0xe0n, 0x6_0000n];
const AVX_512 = 0xe0n;

const edxEax = (cpu: Cpu): bigint => ((cpu.RDX & LOW_HALF) << 32n) | (cpu.RAX & LOW_HALF);

/** The bits that CPUID leaf 0DH reports. */
function supported(cpu: Cpu): bigint {
  const { eax, edx } = cpuidOf(cpu, STATE_COMPONENTS, 0);
  return (BigInt(edx) << 32n) | BigInt(eax);
}

/** Which components depend on which. */
function isConsistent(value: bigint): boolean {
  if ((value & X87) === 0n) return false;
  if ((value & AVX) !== 0n && (value & SSE) === 0n) return false;
  if ((value & AVX_512) !== 0n && (value & AVX) === 0n) return false;
  return GROUPS.every((group) => (value & group) === 0n || (value & group) === group);
}

const enabled = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.osxsave`,
  fields: ['CR4.OSXSAVE'],
  when: (cpu) => !cpu.CR4.OSXSAVE,
  raise: UD,
  explain: `${mnemonic} needs CR4.OSXSAVE.`,
});

const knownRegister = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.register`,
  fields: ['RCX'],
  when: (cpu) => (cpu.RCX & LOW_HALF) !== 0n,
  raise: GP(0),
  explain: 'ECX must name an extended control register: there is XCR0, with ECX = 0.',
});

/** CPUID leaf 0DH, subleaf 1, EAX: XGETBV with ECX = 1. MXCSR counts for SSE there, as for XSAVEC. */
const READS_IN_USE = 1 << 2;
const isInUse = (cpu: Cpu): boolean =>
  (cpu.RCX & LOW_HALF) === 1n && (cpuidOf(cpu, STATE_COMPONENTS, 1).eax & READS_IN_USE) !== 0;

export const XGETBV = defineInstruction({
  mnemonic: 'XGETBV',
  manual: sdm('XGETBV—Get Value of Extended Control Register'),
  reads: ['RCX', 'XCR0', 'CR4.OSXSAVE'],
  writes: ['RAX', 'RDX'],
  flags: 'unaffected',
  faults: [
    enabled('XGETBV'),
    {
      ...knownRegister('XGETBV'),
      when: (cpu) => (cpu.RCX & LOW_HALF) !== 0n && !isInUse(cpu),
      explain: 'ECX must be 0 for XCR0, or 1 for what of its state is in use, where CPUID leaf 0DH reports that.',
    },
  ],
  intrinsics: { xgetbv: { operands: [], registers: ['RCX'], result: edxEax } },
  effect(cpu) {
    const value = isInUse(cpu) ? cpu.read('XCR0') & componentsInUse(cpu) : cpu.read('XCR0');
    cpu.RAX = value & LOW_HALF; // the high halves are cleared
    cpu.RDX = value >> 32n;
  },
});

export const XSETBV = defineInstruction({
  mnemonic: 'XSETBV',
  manual: sdm('XSETBV—Set Extended Control Register'),
  reads: ['RCX', 'RAX', 'RDX', 'CR4.OSXSAVE', 'SS.attributes'],
  writes: ['XCR0'],
  flags: 'unaffected',
  faults: [
    enabled('XSETBV'),
    privileged('XSETBV'),
    knownRegister('XSETBV'),
    {
      id: 'core.xsetbv.reserved',
      fields: ['RDX', 'RAX'],
      when: (cpu) => (edxEax(cpu) & ~supported(cpu)) !== 0n,
      raise: GP(0),
      explain: 'A bit of XCR0 is reserved unless CPUID leaf 0DH reports its state component: write it as 0.',
    },
    {
      id: 'core.xsetbv.combination',
      fields: ['RDX', 'RAX'],
      when: (cpu) => !isConsistent(edxEax(cpu)),
      raise: GP(0),
      explain: 'XCR0 must have bit 0; AVX needs SSE, AVX-512 needs AVX, and its three parts come together.',
    },
  ],
  intrinsics: { xsetbv: { operands: [], registers: ['RCX', 'EDX:EAX'] } },
  effect: (cpu) => cpu.set('XCR0', edxEax(cpu)),
});
