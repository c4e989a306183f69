// Conditions that the SVM instructions share (APM, volume 3, "Exceptions" of each): the rows are made from the
// instruction's name, and each instruction's table states their order. The intercept of the instruction stands between the
// privilege level and what depends on operands (intercepted-instructions.ts).
import { type CheckResult, type Cpu, type Execution, GP, InternalError, type RuleRow, UD } from '@retrovisor/core';
import { hasFeature } from '../features.js';
import { VMCB_BYTES } from '../vmcb.js';

/** A row of an instruction's table. */
export type CheckRow = RuleRow<Execution, CheckResult>;

/** `svm.vmload.svme` for VMLOAD and `svme`. */
const idOf = (mnemonic: string, check: string) => `svm.${mnemonic.toLowerCase()}.${check}`;

export const svmEnabled = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'svme'),
  fields: ['IA32_EFER.SVME'],
  holds: ({ cpu }) => cpu.EFER.SVME,
  result: UD,
  explain: `${mnemonic} exists only while SVM is enabled: set EFER.SVME.`,
});

export const svmEnabledOrSkinit = (mnemonic: string): CheckRow => ({
  ...svmEnabled(mnemonic),
  holds: ({ cpu }) => cpu.EFER.SVME || hasFeature(cpu.profile, 'SKINIT'),
  explain: `${mnemonic} exists only while SVM is enabled, or on a processor with SKINIT: set EFER.SVME.`,
  note:
    'The APM has SKINIT and STGI work without EFER.SVME on processors with CPUID Fn8000_0001_ECX[SKINIT], so that secure ' +
    'startup can end in STGI; Bochs asks for SVME. The processor decides, although CPUID hides SKINIT until it is modelled.',
});

export const protectedMode = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'real-v86'),
  fields: ['CR0.PE', 'RFLAGS.VM'],
  holds: ({ cpu }) => cpu.CR0.PE && !cpu.RFLAGS.VM,
  result: UD,
  explain: `${mnemonic} is recognized only in protected mode: set CR0.PE, and leave virtual-8086 mode.`,
  note: 'Bochs finds this in its decoder, before EFER.SVME: both are #UD.',
});

export const privileged = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'cpl'),
  fields: ['SS.attributes'], // CPL is SS.DPL
  holds: ({ cpu }) => cpu.CPL === 0,
  result: GP(0),
  precedesIntercepts: true,
  explain: `${mnemonic} is privileged: execute it with CPL 0.`,
});

export const vmcbAddress = (mnemonic: string): CheckRow => ({
  id: idOf(mnemonic, 'rax'),
  fields: ['RAX'],
  holds: (execution) => isVmcbAddress(execution.cpu, vmcbAddressOf(execution)),
  result: GP(0),
  explain: 'rAX must hold the physical address of a VMCB: aligned to 4 KBytes and within the physical-address width.',
  note:
    'In a guest, whether this comes before or after the intercept depends on CPUID Fn8000_000A_EDX[28]: Bochs and VirtualBox ' +
    'each do one of the two. Processors also refuse some reserved ranges that no manual lists; here any RAM is accepted.',
});

/**
 * rAX at the effective address size. An intrinsic has no encoding: it takes the 64 bits of 64-bit mode, the 32 that a
 * register has elsewhere.
 */
export function vmcbAddressOf({ cpu, operands: [rax] }: Pick<Execution, 'cpu' | 'operands'>): bigint {
  if (rax === undefined) throw new InternalError('rAX of an SVM instruction is missing');
  return BigInt.asUintN(cpu.mode === '64-bit' ? 64 : 32, rax.read());
}

function isVmcbAddress(cpu: Cpu, address: bigint): boolean {
  return address % BigInt(VMCB_BYTES) === 0n && address >> BigInt(cpu.profile.physicalAddressWidth) === 0n;
}
