// How VMX instructions report (SDM, "Conventions"): VMsucceed, VMfailInvalid, VMfailValid and VMfail set the status
// flags, VMfailValid also the VM-instruction error field of the current VMCS.
import { type Cpu, type Execution, type PluginOutcome, STATUS_FLAGS } from '@retrovisor/core';
import { fieldNamed } from './fields.js';
import { VM_INSTRUCTION_ERRORS, type VmInstructionError } from './instruction-errors.js';
import { writeField } from './vmcs-region.js';
import { hasCurrentVmcs, vmxProcessor } from './vmx-operation.js';

const CF = 0x01n;
const ZF = 0x40n;

type Facts = Pick<PluginOutcome, 'rule' | 'hazards'> & { readonly value?: unknown };

/**
 * The instruction succeeded (SDM, "Conventions"); `value` is what an intrinsic hands back.
 * @example expect(cpu.vmread(0x681en)).toEqual(vmSucceed({ value: 0n }))
 */
export function vmSucceed(facts: Facts = {}): PluginOutcome {
  return { kind: 'vmx/VMsucceed', ...facts };
}

/**
 * It failed without a current VMCS to say why, or before one may be touched.
 * @example expect(cpu.vmxon(0x8n)).toEqual(vmFailInvalid({ rule: 'vmx.vmxon.align' }))
 */
export function vmFailInvalid(facts: Facts = {}): PluginOutcome {
  return { kind: 'vmx/VMfailInvalid', ...facts };
}

/**
 * It failed with a number that stands in the VM-instruction error field of the current VMCS.
 * @example expect(cpu.vmclear(0x8n)).toEqual(vmFailValid(2, { rule: 'vmx.vmclear.align-width' }))
 */
export function vmFailValid(number: VmInstructionError, facts: Facts = {}): PluginOutcome {
  return { kind: 'vmx/VMfailValid', number, meaning: VM_INSTRUCTION_ERRORS[number], ...facts };
}

/** Does what VMsucceed does: CF, PF, AF, ZF, SF and OF are cleared. */
export function succeed(cpu: Cpu): PluginOutcome {
  setStatusFlags(cpu, 0n);
  return vmSucceed();
}

/** The result of a check that ends in VMfailInvalid: CF is set and the other status flags are cleared. */
export function failInvalid({ cpu }: Execution): PluginOutcome {
  setStatusFlags(cpu, CF);
  return vmFailInvalid();
}

/** The result of a check that ends in VMfail(number): VMfailValid, or VMfailInvalid if no VMCS is current. */
export function fail(number: VmInstructionError): (execution: Execution) => PluginOutcome {
  return (execution) => (hasCurrentVmcs(execution.cpu) ? failValid(execution.cpu, number) : failInvalid(execution));
}

/** Does what VMfailValid(number) does, on a processor with a current VMCS: ZF is set, the other status flags are cleared. */
export function failValid(cpu: Cpu, number: VmInstructionError): PluginOutcome {
  setStatusFlags(cpu, ZF);
  writeField(cpu.memory, vmxProcessor.of(cpu).currentVmcs, fieldNamed('VM-instruction error'), BigInt(number));
  return vmFailValid(number);
}

function setStatusFlags(cpu: Cpu, set: bigint): void {
  const { RFLAGS } = cpu;
  RFLAGS.value = (RFLAGS.value & ~BigInt(STATUS_FLAGS)) | set;
}
