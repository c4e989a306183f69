// The state that the checks of VM entry read, of the VMCS that is current on a processor.
import type { Cpu } from '@retrovisor/core';
import type { VmcsField } from '../field-encoding.js';
import { shownProfile } from '../modelled-capabilities.js';
import { Vmcs } from '../vmcs.js';
import { vmxProcessor } from '../vmx-operation.js';
import { type EntryProcessor, processorOf } from './entry-processor.js';
import { type EntryState, isControlSet } from './entry-state.js';

/** A processor that is about to enter. */
class CurrentVmcs implements EntryState {
  readonly processor: EntryProcessor;
  readonly currentVmcs: bigint;
  /** There is no SMM, and no tracing that software could switch on. */
  readonly inSmm = false;
  readonly isTracing = false;
  readonly #cpu: Cpu;
  readonly #vmcs: Vmcs;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#vmcs = Vmcs.currentOf(cpu);
    this.processor = processorOf(shownProfile(cpu.profile));
    this.currentVmcs = vmxProcessor.of(cpu).currentVmcs;
  }

  get inIa32eMode(): boolean {
    return this.#cpu.EFER.LMA;
  }

  word(field: VmcsField): number {
    return this.#vmcs.word(field) >>> 0;
  }

  high(field: VmcsField): number {
    return this.#vmcs.high(field) >>> 0;
  }

  control(control: Parameters<EntryState['control']>[0]): boolean {
    return isControlSet(this, control);
  }

  memory(address: bigint, bytes: 4 | 8): bigint {
    return this.#cpu.memory.read(address, bytes);
  }
}

/** What the checks read of a processor with a current VMCS. */
export const currentEntryState = (cpu: Cpu): EntryState => new CurrentVmcs(cpu);
