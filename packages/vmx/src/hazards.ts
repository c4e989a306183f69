// What software must not do with VMX's regions although processors let it pass (SDM, "Software Use of Virtual-Machine
// Control Structures"). Each report has the position of the event at fault and, in its facts, that of the other one.
import { type Cpu, defineHazards, type MemoryAccess, sdm } from '@retrovisor/core';
import { VMX_BASIC } from './capability-bits.js';
import { type RegionKind, type RegionUse, regionsUsedBy, usesOf } from './regions-in-use.js';
import { LAUNCH_STATE, REGION_ALIGNMENT, readHeader } from './vmcs-region.js';

export const vmxHazards = defineHazards(sdm('Software Use of Virtual-Machine Control Structures'), [
  {
    id: 'vmx.hazard.vmcs-active-elsewhere',
    explain:
      'A VMCS must not be active on two logical processors: execute VMCLEAR on the first before VMPTRLD on the next.',
  },
  {
    id: 'vmx.hazard.vmclear-elsewhere',
    explain: 'VMCLEAR here leaves the VMCS active on the other logical processor: execute it there.',
  },
  {
    id: 'vmx.hazard.store-to-active-vmcs',
    manual: sdm('VMREAD, VMWRITE, and Encodings of VMCS Fields'),
    explain: 'The data of an active VMCS may be in the processor: use VMWRITE, or VMCLEAR before ordinary stores.',
  },
  {
    id: 'vmx.hazard.store-to-vmxon-region',
    manual: sdm('VMXON Region'),
    explain: 'Between VMXON and VMXOFF the VMXON region belongs to the processor: keep it out of reach of stores.',
  },
  {
    id: 'vmx.hazard.vmxon-region-shared',
    manual: sdm('VMXON Region'),
    explain: 'The region is in use already: give every logical processor a VMXON region of its own.',
  },
  {
    id: 'vmx.hazard.vmxoff-with-active-vmcs',
    explain: 'VMXOFF may corrupt a VMCS that is still active: execute VMCLEAR for it first.',
  },
  {
    id: 'vmx.hazard.vmptrld-without-vmclear',
    manual: sdm('Initializing a VMCS'),
    explain: 'The launch state of the region was never initialised: execute VMCLEAR before the first VMPTRLD.',
  },
]);

/** VMPTRLD of a VMCS, before it becomes active here. */
export function reportVmptrld(cpu: Cpu, region: bigint): void {
  reportOthers(cpu, region, 'active VMCS', 'vmx.hazard.vmcs-active-elsewhere');
  reportOthers(cpu, region, 'VMXON region', 'vmx.hazard.vmxon-region-shared');
  const launchState = readHeader(cpu.memory, region, 'launch state');
  const isInitialized = launchState === LAUNCH_STATE.clear || launchState === LAUNCH_STATE.launched;
  if (!isInitialized) cpu.hazard('vmx.hazard.vmptrld-without-vmclear', { region });
}

/** VMCLEAR of a VMCS. */
export function reportVmclear(cpu: Cpu, region: bigint): void {
  reportOthers(cpu, region, 'active VMCS', 'vmx.hazard.vmclear-elsewhere');
  reportOthers(cpu, region, 'VMXON region', 'vmx.hazard.store-to-vmxon-region');
}

/** VMXON with a region. */
export function reportVmxon(cpu: Cpu, region: bigint): void {
  reportOthers(cpu, region, 'VMXON region', 'vmx.hazard.vmxon-region-shared');
  reportOthers(cpu, region, 'active VMCS', 'vmx.hazard.vmxon-region-shared');
}

/** VMXOFF, one report for each VMCS that is still active. */
export function reportVmxoff(cpu: Cpu): void {
  for (const { address, use } of regionsUsedBy(cpu, 'active VMCS')) {
    cpu.hazard('vmx.hazard.vmxoff-with-active-vmcs', factsOf(address, use));
  }
}

/** Intercept: a store by an instruction to a frame of a region in use. */
export function reportStore(cpu: Cpu, { physical, bytes }: MemoryAccess): void {
  const region = BigInt(physical) - (BigInt(physical) % REGION_ALIGNMENT);
  // Beyond the size that IA32_VMX_BASIC reports, the page is software's own.
  if (BigInt(physical) >= region + BigInt(VMX_BASIC.read(cpu.read('IA32_VMX_BASIC'), 'region size'))) return;
  for (const use of usesOf(cpu, region)) {
    const id = use.as === 'active VMCS' ? 'vmx.hazard.store-to-active-vmcs' : 'vmx.hazard.store-to-vmxon-region';
    cpu.hazard(id, { ...factsOf(region, use), address: physical, bytes });
  }
}

function reportOthers(cpu: Cpu, region: bigint, as: RegionKind, id: string): void {
  for (const use of usesOf(cpu, region)) {
    if (use.as === as && use.processor !== cpu.id) cpu.hazard(id, factsOf(region, use));
  }
}

/** Plain data: a use that was read inside a draft must not be kept. */
function factsOf(region: bigint, { as, processor, since }: RegionUse) {
  return { region, as, processor, since };
}
