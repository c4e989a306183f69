// Which row of a profile answers CPUID, and what a processor returns where there is none: SDM, "CPUID—CPU
// Identification"; APM, volume 3, "CPUID—Processor Identification". Leaves out the bits that depend on the machine's
// state (see CpuidLeaf) and the masking of what is not modelled.
import type { CpuidLeaf, ProcessorProfile } from './profile.js';

const EXTENDED = 0x8000_0000;

// These leaves enumerate levels: a level that does not exist still repeats ECX[7:0] and the x2APIC ID, so that software
// may read its own ID from any subleaf. Every other leaf is all zeros there.
const TOPOLOGY_LEAVES: readonly number[] = [0x0b, 0x1f, 0x8000_0026];

/**
 * The row that answers CPUID with `leaf` in EAX and `subleaf` in ECX, both unsigned 32-bit numbers.
 *
 * `leaf` and `subleaf` of the result are those that answer. They differ from what was asked above the highest leaf of an
 * Intel processor, which returns the data of its highest basic leaf; an AMD processor returns zeros.
 *
 * @example lookUpCpuid(findProfile('amd-server'), 0x8000_000a, 0).ebx // 32768 ASIDs
 */
export function lookUpCpuid(profile: ProcessorProfile, leaf: number, subleaf: number): CpuidLeaf {
  const answering = isInRange(profile, leaf) ? leaf : leafBeyondRange(profile, leaf);
  const rows = profile.cpuid.filter((row) => row.leaf === answering);
  const row = rows.find((candidate) => candidate.subleaf === undefined || candidate.subleaf === subleaf);
  return row ?? absentSubleaf(answering, subleaf, rows[0]);
}

function isInRange(profile: ProcessorProfile, leaf: number): boolean {
  return leaf <= highestLeaf(profile, leaf >= EXTENDED ? EXTENDED : 0);
}

/** EAX of the first leaf of a range is the range's last leaf. */
function highestLeaf(profile: ProcessorProfile, first: number): number {
  return profile.cpuid.find((row) => row.leaf === first)?.eax ?? first;
}

// The SDM promises no feature information in 0x4000_0000 to 0x4fff_ffff (software leaves those to hypervisors) and names
// no exception from the rule; real Intel processors follow the rule there, so the range needs no case of its own.
function leafBeyondRange(profile: ProcessorProfile, leaf: number): number {
  return profile.vendor === 'Intel' ? highestLeaf(profile, 0) : leaf;
}

function absentSubleaf(leaf: number, subleaf: number, level: CpuidLeaf | undefined): CpuidLeaf {
  const absent: CpuidLeaf = { leaf, subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0 };
  if (level === undefined || !TOPOLOGY_LEAVES.includes(leaf)) return absent;
  return { ...absent, ecx: subleaf & 0xff, edx: level.edx };
}
