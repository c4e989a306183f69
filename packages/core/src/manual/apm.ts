// One flat table: section titles of the AMD64 APM (24593, revision 3.42, March 2024, and volume 3), as far as code cites them.
import type { Citation } from './citation.js';

/** The revision whose titles are listed. */
export const APM_REVISION = '24593 3.42 / 24594 3.36, March 2024';

const APM_TITLES = [
  'Extended Feature Enable Register (EFER)',
  'CPUID Fn8000_000A_EAX SVM Revision and Feature Identification',
  'Global Interrupt Flag, STGI and CLGI Instructions',
  'VM_CR MSR (C001_0114h)',
  'IGNNE MSR (C001_0115h)',
  'SMM_CTL MSR (C001_0116h)',
  'VM_HSAVE_PA MSR (C001_0117h)',
  'TSC Ratio MSR (C000_0104h)',
  'SVM_KEY MSR (C001_0118h)',
  'MSR Cross-Reference',
  'Performance Counter MSRs',
  'CLZERO Zero Cache Line',
  'CLGI Clear Global Interrupt Flag',
  'STGI Set Global Interrupt Flag',
  'INVLPGA Invalidate TLB Entry in a Specified ASID',
  'SKINIT Secure Init and Jump with Attestation',
  'VMMCALL Call VMM',
  'VMRUN Run Virtual Machine',
  'Basic Operation',
  '#VMEXIT',
  'Intercept Operation',
  'Instruction Intercepts',
  'IOIO Intercepts',
  'MSR Intercepts',
  'Exception Intercepts',
  'Interrupt Intercepts',
  'Miscellaneous Intercepts',
  'VMCB State Caching',
  'TLB Control',
  'Canonicalization and Consistency Checks',
  'Event Injection',
  'Interrupt and Local APIC Support',
  'Nested Paging',
  'Virtual NMI (NMI Virtualization)',
  'LBR Virtualization',
  'VMLOAD Load State from VMCB',
  'VMSAVE Save State to VMCB',
] as const;

/** A title that may be cited. */
export type ApmTitle = (typeof APM_TITLES)[number];

/** Cites a section of the AMD64 APM by its title. */
export function apm(title: ApmTitle): Citation {
  return { manual: 'APM', title };
}
