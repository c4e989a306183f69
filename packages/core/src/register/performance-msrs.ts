// The performance counters that every AMD64 processor has (APM, "Performance Counter MSRs"): kept, they count nothing. An
// Intel machine reports none in CPUID leaf 0AH and has none; of an AMD machine CPUID hides the extended ones.
import { apm } from '../manual/apm.js';
import type { ProcessorProfile } from '../profile/profile.js';
import type { MsrDefinition } from './msrs.js';

const COUNTERS = 4;
/** Bits of a counter. */
const COUNTER_WIDTH = 48n;
const isAmd = ({ vendor }: ProcessorProfile): boolean => vendor === 'AMD';
const manual = apm('Performance Counter MSRs');
const nameOf = (index: number): string => `PerfCtr${index}`;

/** Bits of PerfEvtSel: 31:0 without 19, event select 35:32, and the host and guest bits 41:40 of SVM. */
const SELECT = 0x30f_fff7_ffffn;
const allBut = (mask: bigint): bigint => BigInt.asUintN(64, ~mask);

export const PERFORMANCE_MSRS: Readonly<Record<string, MsrDefinition>> = Object.fromEntries(
  Array.from({ length: COUNTERS }, (_, index): [string, MsrDefinition][] => [
    [`PerfEvtSel${index}`, { address: 0xc001_0000 + index, existsWhen: isAmd, reserved: allBut(SELECT), manual }],
    [
      nameOf(index),
      {
        address: 0xc001_0004 + index,
        existsWhen: isAmd,
        // Bits that a counter does not have are dropped: software writes negative numbers, sign-extended.
        write: (cpu, value) => cpu.set(nameOf(index), value & ((1n << COUNTER_WIDTH) - 1n)),
        manual,
      },
    ],
  ]).flat(),
);

/** The register of the counter that ECX of RDPMC names, if there is one. */
export function counterAt(profile: ProcessorProfile, index: number): string | undefined {
  return isAmd(profile) && index < COUNTERS ? nameOf(index) : undefined;
}
