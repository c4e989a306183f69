// Regions of memory that processors own for a while: the VMXON region between VMXON and VMXOFF, a VMCS while it is
// active (SDM, "Software Use of Virtual-Machine Control Structures"). Kept for the whole machine because the mistakes
// are made between processors: each use tells who has had the region since which position. Their frames are watched for
// stores.
import { type Cpu, defineSlice, type MachineState } from '@retrovisor/core';

/** What a processor uses a region as. */
export type RegionKind = 'VMXON region' | 'active VMCS';

/** One use of a region. */
export interface RegionUse {
  readonly as: RegionKind;
  readonly processor: number;
  /** Position of the VMXON or VMPTRLD that began it. */
  readonly since: number;
}

/** Uses by the region's physical address in hexadecimal. A region in no use has no entry. */
export interface VmxMachine {
  readonly regions: Readonly<Record<string, readonly RegionUse[]>>;
}

export const vmxMachine = defineSlice<VmxMachine>('vmx', { version: 1, initial: () => ({ regions: {} }) });

const keyOf = (address: bigint) => address.toString(16);
const frameOf = (address: bigint) => Number(address >> 12n);

/** Who uses the region at an address, earliest first. */
export function usesOf(cpu: Cpu, address: bigint): readonly RegionUse[] {
  return vmxMachine.of(cpu.draft).regions[keyOf(address)] ?? [];
}

/** The regions that a processor uses in one way. */
export function regionsUsedBy(
  cpu: Cpu,
  kind: RegionKind,
): readonly { readonly address: bigint; readonly use: RegionUse }[] {
  return Object.entries(vmxMachine.of(cpu.draft).regions).flatMap(([key, uses]) =>
    uses.filter((use) => isBy(use, cpu, kind)).map((use) => ({ address: BigInt(`0x${key}`), use })),
  );
}

/** Begins a use at the current position; a use that goes on already keeps its own. */
export function beginUse(cpu: Cpu, address: bigint, as: RegionKind): void {
  if (usesOf(cpu, address).some((use) => isBy(use, cpu, as))) return;
  vmxMachine.change(cpu.draft, ({ regions }) => {
    const use = { as, processor: cpu.id, since: cpu.position };
    regions[keyOf(address)] = [...(regions[keyOf(address)] ?? []), use];
  });
  cpu.memory.watch(frameOf(address));
}

/** Ends a use of this processor, if there is one. */
export function endUse(cpu: Cpu, address: bigint, as: RegionKind): void {
  if (!usesOf(cpu, address).some((use) => isBy(use, cpu, as))) return;
  vmxMachine.change(cpu.draft, ({ regions }) => {
    const left = (regions[keyOf(address)] ?? []).filter((use) => !isBy(use, cpu, as));
    if (left.length > 0) regions[keyOf(address)] = left;
    else delete regions[keyOf(address)];
  });
  cpu.memory.unwatch(frameOf(address));
}

function isBy(use: RegionUse, cpu: Cpu, kind: RegionKind): boolean {
  return use.processor === cpu.id && use.as === kind;
}

/**
 * Who uses which region, in a sealed state; undefined in a machine without the plugin.
 * @example vmxMachineIn(machine.state)?.regions['200000']
 */
export function vmxMachineIn(state: MachineState): VmxMachine | undefined {
  return state.plugins['vmx'] as VmxMachine | undefined;
}

/** The frames to watch in a state, once for each use: watches are counted. */
export function* watchedFrames(state: MachineState): IterableIterator<number> {
  for (const [key, uses] of Object.entries(vmxMachineIn(state)?.regions ?? {})) {
    for (const _use of uses) yield frameOf(BigInt(`0x${key}`));
  }
}
