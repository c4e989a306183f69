// VMLOAD and VMSAVE: the processor state that VMRUN and #VMEXIT leave alone, between registers and a VMCB.
import {
  apm,
  type Cpu,
  defineInstruction,
  defineRules,
  type IntrinsicShape,
  type SegmentRegister,
} from '@retrovisor/core';
import { privileged, protectedMode, svmEnabled, vmcbAddress, vmcbAddressOf } from '../checks/instruction-conditions.js';
import { setLastVmcb } from '../processor-registers.js';
import { readQuadword, readSegment, writeQuadword, writeSegment } from '../vmcb-memory.js';

/** Segment registers with all hidden state; their names are those of the VMCB's fields. */
const SEGMENTS: readonly SegmentRegister[] = ['FS', 'GS', 'TR', 'LDTR'];

interface TransferredMsr {
  readonly field: string;
  readonly register: string;
  /** VMLOAD sign-extends it from the highest bit of a linear address, where WRMSR would refuse the value. */
  readonly isAddress?: true;
}

/** In the APM's order. VMLOAD makes none of the checks of WRMSR. */
const MSRS: readonly TransferredMsr[] = [
  { field: 'KernelGsBase', register: 'IA32_KERNEL_GS_BASE', isAddress: true },
  { field: 'STAR', register: 'IA32_STAR' },
  { field: 'LSTAR', register: 'IA32_LSTAR', isAddress: true },
  { field: 'CSTAR', register: 'IA32_CSTAR', isAddress: true },
  { field: 'SFMASK', register: 'IA32_FMASK' },
  { field: 'SYSENTER_CS', register: 'IA32_SYSENTER_CS' },
  { field: 'SYSENTER_ESP', register: 'IA32_SYSENTER_ESP', isAddress: true },
  { field: 'SYSENTER_EIP', register: 'IA32_SYSENTER_EIP', isAddress: true },
];

/** The VMCB's fields that the two instructions transfer. */
export const TRANSFERRED_FIELDS: readonly string[] = [...SEGMENTS, ...MSRS.map(({ field }) => field)];

const REGISTERS = [
  ...SEGMENTS.flatMap((segment) => ['selector', 'base', 'limit', 'attributes'].map((part) => `${segment}.${part}`)),
  ...MSRS.map(({ register }) => register),
];
const CONDITIONS = ['IA32_EFER.SVME', 'CR0.PE', 'RFLAGS.VM', 'SS.attributes', 'RAX'];

/** `vmload(address)`: the address goes to RAX, the operand. */
const WITH_ADDRESS = { operands: [{ register: 'RAX' }], registers: ['RAX'] } as const satisfies IntrinsicShape;

const conditionsOf = (mnemonic: string) => [
  svmEnabled(mnemonic),
  protectedMode(mnemonic),
  privileged(mnemonic),
  vmcbAddress(mnemonic),
];

export const VMLOAD = defineInstruction({
  mnemonic: 'VMLOAD',
  manual: apm('VMLOAD Load State from VMCB'),
  reads: CONDITIONS, // and the VMCB, which is no fixed place
  writes: REGISTERS,
  flags: 'unaffected',
  checks: defineRules(apm('VMLOAD Load State from VMCB'), { kind: 'fault', vector: '#UD' }, conditionsOf('VMLOAD')),
  intrinsics: { vmload: WITH_ADDRESS },
  effect(cpu, operands) {
    const vmcb = vmcbAddressOf({ cpu, operands });
    // Everything is read before anything is written: an access that is refused would leave the registers alone.
    const segments = SEGMENTS.map((name) => ({ name, loaded: readSegment(cpu.memory, vmcb, name) }));
    const msrs = MSRS.map((msr) => ({ ...msr, loaded: readQuadword(cpu.memory, vmcb, msr.field) }));
    for (const { name, loaded } of segments) cpu.setSegment(name, { ...loaded, base: canonical(cpu, loaded.base) });
    for (const { register, isAddress, loaded } of msrs) cpu.set(register, isAddress ? canonical(cpu, loaded) : loaded);
    setLastVmcb(cpu, Number(vmcb));
  },
});

export const VMSAVE = defineInstruction({
  mnemonic: 'VMSAVE',
  manual: apm('VMSAVE Save State to VMCB'),
  reads: [...CONDITIONS, ...REGISTERS],
  writes: [], // the VMCB, which is no fixed place
  flags: 'unaffected',
  checks: defineRules(apm('VMSAVE Save State to VMCB'), { kind: 'fault', vector: '#UD' }, conditionsOf('VMSAVE')),
  intrinsics: { vmsave: WITH_ADDRESS },
  effect(cpu, operands) {
    const vmcb = vmcbAddressOf({ cpu, operands });
    for (const name of SEGMENTS) writeSegment(cpu.memory, vmcb, name, cpu.segment(name));
    for (const { field, register } of MSRS) writeQuadword(cpu.memory, vmcb, field, cpu.read(register));
    setLastVmcb(cpu, Number(vmcb));
  },
});

/**
 * The APM asks for canonical bases and does not say from which bit. kvm-unit-tests finds, on processors, the width that
 * CPUID reports, whether or not CR4.LA57 is set. Bochs makes the other addresses canonical too; so do we.
 */
function canonical(cpu: Cpu, address: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(cpu.profile.linearAddressWidth, address));
}
