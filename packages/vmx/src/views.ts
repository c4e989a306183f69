// Tables of a state for people: `vmx` says which processors are in VMX operation and who uses which region, `vmcs`
// shows every active VMCS with the fields that the processor supports.
import type { MachineDefinition, MachineState, View } from '@retrovisor/core';
import { supportedFields } from './field-support.js';
import { type RegionUse, vmxMachineIn } from './regions-in-use.js';
import { LAUNCH_STATE, type RegionMemory, readField, readHeader } from './vmcs-region.js';
import { NO_VMCS, vmxProcessorIn } from './vmx-operation.js';

const hex = (value: bigint, bytes = 8) => `0x${value.toString(16).padStart(bytes * 2, '0')}`;
const pointer = (value: bigint) => (value === NO_VMCS ? 'none' : `0x${value.toString(16)}`);

/** VMX operation of each processor, and the regions in use. */
export function vmxView(state: MachineState): readonly View[] {
  return [
    {
      title: 'VMX operation',
      columns: ['processor', 'CR4.VMXE', 'IA32_FEATURE_CONTROL', 'VMX operation', 'VMXON pointer', 'current VMCS'],
      rows: state.processors.map(operationRow),
    },
    {
      title: 'Regions in use',
      columns: ['address', 'use', 'processor', 'since position'],
      rows: usesIn(state).map(({ address, use }) => [pointer(address), use.as, use.processor, use.since]),
    },
  ];
}

function operationRow(
  { id, control, msrs }: MachineState['processors'][number],
  _index: number,
  processors: MachineState['processors'],
) {
  const vmx = processors[id]?.plugins['vmx'] as ReturnType<typeof vmxProcessorIn>;
  return [
    id,
    Number((control.CR4 >> 13n) & 1n),
    `0x${(msrs['IA32_FEATURE_CONTROL'] ?? 0n).toString(16)}`,
    vmx?.inVmxOperation ? 'root' : 'no',
    pointer(vmx?.vmxonPointer ?? NO_VMCS),
    pointer(vmx?.currentVmcs ?? NO_VMCS),
  ];
}

/** One table for each active VMCS. */
export function vmcsView(state: MachineState, definition: MachineDefinition): readonly View[] {
  const memory: RegionMemory = { read: (address, bytes) => state.memory.readValue(address, bytes) };
  return usesIn(state)
    .filter(({ use }) => use.as === 'active VMCS')
    .map(({ address, use }) => ({
      title: titleOf(state, memory, address, use),
      columns: ['field', 'encoding', 'group', 'value'],
      rows: [...supportedFields(definition.profile)].map((field) => [
        field.name,
        `0x${field.encoding.toString(16).padStart(4, '0')}`,
        field.group,
        hex(readField(memory, address, field), field.bytes),
      ]),
    }));
}

function titleOf(state: MachineState, memory: RegionMemory, region: bigint, { processor, since }: RegionUse): string {
  const isCurrent = vmxProcessorIn(state, processor)?.currentVmcs === region;
  const launchState = readHeader(memory, region, 'launch state');
  const launch = Object.entries(LAUNCH_STATE).find(([, value]) => value === launchState)?.[0] ?? 'corrupted';
  const standing = isCurrent ? 'current' : 'not current';
  const active = `active on processor ${processor} since position ${since}`;
  return `VMCS at ${pointer(region)}: ${active}, ${standing}, launch state ${launch}`;
}

function usesIn(state: MachineState): readonly { readonly address: bigint; readonly use: RegionUse }[] {
  return Object.entries(vmxMachineIn(state)?.regions ?? {}).flatMap(([key, uses]) =>
    uses.map((use) => ({ address: BigInt(`0x${key}`), use })),
  );
}
