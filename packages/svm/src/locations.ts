// Fields of a VMCB as locations: `vmcb:N_CR3` of the VMCB that the processor's last VMLOAD or VMSAVE used, `vmcb:N_CR3@0x5000`
// of the one at a physical address. A VMCB is any page that software calls one: without the address there is no other.
import type { MachineState, PluginLocation } from '@retrovisor/core';
import { svmProcessorIn } from './processor-registers.js';
import { findVmcbPlace, VMCB_PLACE_NAMES } from './vmcb-places.js';

const WITH_ADDRESS = /^(?<field>.+)@(?<address>0x[0-9a-f]{1,13}|\d{1,16})$/i;

export const vmcbLocation: PluginLocation = {
  names: VMCB_PLACE_NAMES,
  resolve(name, state, processor) {
    const { field, vmcb } = parse(name, state, processor);
    const place = findVmcbPlace(field);
    if (place === undefined || vmcb === undefined) return undefined;
    return { kind: 'memory', address: Number(vmcb) + place.offset, bytes: place.bytes };
  },
};

function parse(
  name: string,
  state: MachineState,
  processor: number,
): { readonly field: string; readonly vmcb: bigint | undefined } {
  const groups = WITH_ADDRESS.exec(name)?.groups;
  if (groups === undefined) return { field: name, vmcb: svmProcessorIn(state, processor)?.vmcb ?? undefined };
  return { field: groups['field'] ?? '', vmcb: BigInt(groups['address'] ?? 0) };
}
