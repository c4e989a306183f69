// Places that can be named in a machine with this plugin: `vmcs:Guest RIP` is that field of the VMCS that is current on
// the processor, `vmxon-region:VMCS revision identifier` the first doubleword of its VMXON region.
import type { MachineState, PluginLocation } from '@retrovisor/core';
import { fieldNamed, VMCS_FIELDS } from './fields.js';
import { fieldOffset, REGION_HEADER } from './vmcs-region.js';
import { NO_VMCS, type VmxProcessor, vmxProcessorIn } from './vmx-operation.js';

type Place = ReturnType<PluginLocation['resolve']>;

const HEADER: Readonly<Record<string, number>> = REGION_HEADER;

/** Fields, and the words before them. */
export const vmcsLocation: PluginLocation = {
  names: [...Object.keys(HEADER), ...VMCS_FIELDS.map(({ name }) => name)],
  resolve: (name, state, processor) => placeIn(pointer(state, processor, 'currentVmcs'), name),
};

/** Only the first doubleword means anything. */
export const vmxonRegionLocation: PluginLocation = {
  names: ['VMCS revision identifier'],
  resolve: (name, state, processor) =>
    name === 'VMCS revision identifier' ? placeIn(pointer(state, processor, 'vmxonPointer'), name) : undefined,
};

function pointer(state: MachineState, processor: number, which: 'currentVmcs' | 'vmxonPointer'): bigint {
  const vmx: VmxProcessor | undefined = vmxProcessorIn(state, processor);
  return vmx?.[which] ?? NO_VMCS;
}

function placeIn(region: bigint, name: string): Place {
  if (region === NO_VMCS) return undefined;
  const start = Number(region);
  const header = HEADER[name];
  if (header !== undefined) return { kind: 'memory', address: start + header, bytes: 4 };
  const field = fieldNamed(name);
  return field && { kind: 'memory', address: start + fieldOffset(field), bytes: field.bytes };
}
