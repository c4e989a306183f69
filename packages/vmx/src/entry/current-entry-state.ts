// The state that the checks of VM entry read, of a processor with a current VMCS. Nothing is copied: each read goes to the
// region in memory.
import type { Cpu } from '@retrovisor/core';
import type { VmcsField } from '../field-encoding.js';
import { fieldOffset } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';
import { processorOf } from './entry-processor.js';
import { type EntryState, isControlSet } from './entry-state.js';

/** Reads the current VMCS of a processor that has one. */
export function currentEntryState(cpu: Cpu): EntryState {
  const { currentVmcs } = vmxProcessor.of(cpu);
  const at = (field: VmcsField, bytes: number) => currentVmcs + BigInt(fieldOffset(field) + bytes);
  const state: EntryState = {
    processor: processorOf(cpu.profile),
    word: (field) => Number(cpu.memory.read(at(field, 0), field.bytes === 2 ? 2 : 4)),
    high: (field) => (field.bytes === 8 ? Number(cpu.memory.read(at(field, 4), 4)) : 0),
    control: (control) => isControlSet(state, control),
    inIa32eMode: cpu.EFER.LMA,
    inSmm: false, // SMM and Intel PT are not modelled
    isTracing: false,
    currentVmcs,
    memory: (address, bytes) => cpu.memory.read(address, bytes),
  };
  return state;
}
