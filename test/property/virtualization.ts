// The way into VMX operation and to EFER.SVME, on any of a machine's processors, with a step left out now and then:
// random calls alone would hardly ever find it. VMCS regions are shared, so that processors meet in them.
import { findProfile, type MachineEvent } from '@retrovisor/core';
import fc from 'fast-check';
import type { Kind, MachinePlan } from './machine-plan.js';

/** One VMXON region a processor, then three VMCSs for all. */
const VMXON_REGIONS = [0x50_0000n, 0x50_8000n, 0x50_9000n, 0x50_a000n] as const;
export const VMCS_REGIONS = [0x50_1000n, 0x50_2000n, 0x50_3000n] as const;
/** Where the registers of programs point to: VMPTRLD [RBX] finds a VMCS pointer there. */
const POINTED_FROM = [0x40_0000, 0x40_0100];
const BASIC_MSR = 0x480;
const IDENTIFIER = 0x7fff_ffffn;

type Call = readonly [intrinsic: string, ...operands: bigint[]];

function callsOn(kind: Kind, processor: number): readonly Call[] {
  if (kind === 'core') return [];
  if (kind === 'amd') return [['wrmsr', 0xc000_0080n, 0x1d01n]];
  const [first, second] = [VMCS_REGIONS[processor % 3] ?? 0n, VMCS_REGIONS[(processor + 1) % 3] ?? 0n];
  return [
    ['wrmsr', 0x3an, 5n],
    ['movToCr4', 0x2020n],
    ['vmxon', VMXON_REGIONS[processor] ?? 0n],
    ['vmclear', first],
    ['vmptrld', first],
    ['vmwrite', 0x681en, 0x1234n],
    ['vmclear', second],
    ['vmptrld', second],
    ['vmread', 0x681en],
  ];
}

/** The revision identifier at the start of every region, and pointers to the VMCSs. */
function preparedRegions(kind: Kind): readonly MachineEvent[] {
  if (kind !== 'intel') return [];
  const identifier = Number((findProfile('intel-server').msrs[BASIC_MSR] ?? 0n) & IDENTIFIER);
  const identifiers = [...VMXON_REGIONS, ...VMCS_REGIONS].map(
    (address): MachineEvent => ({
      type: 'memory/written',
      address: Number(address),
      bytes: new Uint8Array(Uint32Array.of(identifier).buffer),
    }),
  );
  const pointers = new Uint8Array(BigUint64Array.of(...VMCS_REGIONS).buffer);
  return [
    ...identifiers,
    ...POINTED_FROM.map((address) => ({ type: 'memory/written', address, bytes: pointers }) as const),
  ];
}

/** Events that switch virtualization on, on some of the processors; none in one case of five. */
export function virtualization({ kind, processors }: MachinePlan): fc.Arbitrary<readonly MachineEvent[]> {
  if (kind === 'core') return fc.constant([]);
  const calls = Array.from({ length: processors }, (_, processor) =>
    callsOn(kind, processor).map(
      ([intrinsic, ...operands]): MachineEvent => ({
        type: 'processor/intrinsicExecuted',
        processor,
        intrinsic,
        operands,
      }),
    ),
  ).flat();
  const kept = fc.array(fc.nat(29), { minLength: calls.length, maxLength: calls.length });
  const switchedOn = kept.map((keep) => [...preparedRegions(kind), ...calls.filter((_, index) => keep[index] !== 0)]);
  return fc.oneof({ weight: 4, arbitrary: switchedOn }, { weight: 1, arbitrary: fc.constant([]) });
}
