// The consistency checks of VMRUN (APM, "Canonicalization and Consistency Checks"): each failure is #VMEXIT with the code
// VMEXIT_INVALID, and which one it was only the rule tells. The order is that of the manual's list; it decides nothing but
// which rule is named first. Left out: encrypted state (SEV-ES), whose save area the processor keeps elsewhere.
import {
  allowedBits,
  apm,
  type CheckResult,
  type Cpu,
  CR0,
  CR4,
  defineRules,
  EFER,
  type Execution,
  lookUpCpuid,
  type RuleRow,
  slotOf,
} from '@retrovisor/core';
import { hasFeature } from '../features.js';
import { IOPM_BYTES, MSRPM_BYTES } from '../permission-maps.js';
import { V } from '../virtual-interrupts.js';
import { pageWords } from '../vmcb-page.js';
import { vmcbPlace } from '../vmcb-places.js';
import { refuseGuest } from '../world-switch.js';
import { vmcbAddressOf } from './instruction-conditions.js';

/** A row of the table: what it reads are fields of the VMCB, or registers of the host after `host:`. */
interface Row extends Omit<RuleRow<Execution, CheckResult>, 'fields' | 'holds' | 'appliesWhen'> {
  readonly reads: readonly string[];
  readonly appliesWhen?: (vmcb: Words, cpu: Cpu) => boolean;
  readonly holds: (vmcb: Words, cpu: Cpu) => boolean;
}

/** A VMCB as its words. */
type Words = Int32Array;

const RAX_WORD = slotOf('RAX') * 2;
let last = { operand: undefined as Execution['operands'][number] | undefined, low: 0, high: 0, address: 0 };

/** Each row asks: the address is found once for an operand and its value. */
function addressOf(execution: Execution): number {
  const { cpu, operands } = execution;
  const [operand, low, high] = [operands[0], cpu.words[RAX_WORD] as number, cpu.words[RAX_WORD + 1] as number];
  if (operand !== last.operand || low !== last.low || high !== last.high)
    last = { operand, low, high, address: Number(vmcbAddressOf(execution)) };
  return last.address;
}

const wordsOf = (execution: Execution): Words => pageWords(execution.cpu, addressOf(execution));

function completed({ reads, holds, appliesWhen, ...row }: Row): RuleRow<Execution, CheckResult> {
  return {
    ...row,
    fields: (execution) => {
      const at = `@0x${vmcbAddressOf(execution).toString(16)}`;
      return reads.map((name) => (name.startsWith('host:') ? name.slice(5) : `vmcb:${name}${at}`));
    },
    holds: (execution) => holds(wordsOf(execution), execution.cpu),
    ...(appliesWhen && { appliesWhen: (execution: Execution) => appliesWhen(wordsOf(execution), execution.cpu) }),
  };
}

const wordOf = (field: string): number => vmcbPlace(field).offset / 4;
const AT = {
  cr0: wordOf('CR0'),
  cr3: wordOf('CR3'),
  cr4: wordOf('CR4'),
  dr6: wordOf('DR6'),
  dr7: wordOf('DR7'),
  efer: wordOf('EFER'),
  cs: wordOf('CS'),
  pat: wordOf('G_PAT'),
  intercept3: wordOf('Intercept vector 3'),
  intercept4: wordOf('Intercept vector 4'),
  iopm: wordOf('IOPM_BASE_PA'),
  msrpm: wordOf('MSRPM_BASE_PA'),
  asid: wordOf('Guest ASID'),
  virtualInterrupt: wordOf('Virtual interrupt control'),
  nestedPaging: wordOf('Nested paging and encryption control'),
  nCr3: wordOf('N_CR3'),
  event: wordOf('EVENTINJ'),
} as const;

const low = (vmcb: Words, word: number): number => vmcb[word] as number;
const high = (vmcb: Words, word: number): number => vmcb[word + 1] as number;
const has = (vmcb: Words, word: number, bit: number): boolean => ((low(vmcb, word) >>> bit) & 1) !== 0;
const wide = (vmcb: Words, word: number): bigint =>
  (BigInt(high(vmcb, word) >>> 0) << 32n) | BigInt(low(vmcb, word) >>> 0);
/** An address without its lowest 12 bits. */
const page = (vmcb: Words, word: number): number =>
  (high(vmcb, word) >>> 0) * 2 ** 32 + ((low(vmcb, word) & ~0xfff) >>> 0);

const { PE, PG, CD, NW } = CR0.bits;
const { PAE } = CR4.bits;
const { LME, LMA, SVME } = { ...EFER.bits, SVME: 12 };
/** L and D/B of a segment's attributes, in the first word of the field. */
const CODE_L = 16 + 9;
const CODE_D = 16 + 10;
const VMRUN_BIT = 0;
const NMI_BIT = 1;
const NP_ENABLE = 0;
const FLUSH_ALL = 1;
const TLB_CONTROLS = new Set([0, FLUSH_ALL, 3, 7]);
const AVIC_ENABLE = 31;
const X2AVIC_ENABLE = 30;
const MEMORY_TYPES = new Set([0, 1, 4, 5, 6, 7]);

const isLong = (vmcb: Words): boolean => has(vmcb, AT.efer, LME) && has(vmcb, AT.cr0, PG);
const isNested = (vmcb: Words, cpu: Cpu): boolean =>
  has(vmcb, AT.nestedPaging, NP_ENABLE) && hasFeature(cpu.profile, 'NP');
const isInjecting = (vmcb: Words): boolean => low(vmcb, AT.event) < 0;
const eventType = (vmcb: Words): number => (low(vmcb, AT.event) >>> 8) & 7;
const eventVector = (vmcb: Words): number => low(vmcb, AT.event) & 0xff;
const isException = (vmcb: Words): boolean => isInjecting(vmcb) && eventType(vmcb) === 3;
const tlbControl = (vmcb: Words): number => (vmcb[AT.asid + 1] as number) & 0xff;
const above = (cpu: Cpu): bigint => BigInt.asUintN(64, -1n << BigInt(cpu.profile.physicalAddressWidth));
const memoryEnd = (cpu: Cpu): number => 2 ** cpu.profile.physicalAddressWidth;
const isPae = (vmcb: Words): boolean => has(vmcb, AT.cr0, PG) && has(vmcb, AT.cr4, PAE) && !has(vmcb, AT.efer, LME);
/** Bits 2:1, 8:5 and 63:52 of a PDPTE that is present, with those above the physical-address width. */
const PDPTE_RESERVED = 0xfff0_0000_0000_01e6n;
const pdptes = (vmcb: Words, cpu: Cpu): readonly bigint[] => {
  const table = (low(vmcb, AT.cr3) & ~0x1f) >>> 0;
  return [0, 8, 16, 24].map((offset) => cpu.memory.read(table + offset, 8));
};
const memoryTypesOf = (vmcb: Words): readonly number[] =>
  [low(vmcb, AT.pat), high(vmcb, AT.pat)].flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff));

const NMI = 2;
const OF = 4;
const BR = 5;
/** Bits 30:12. */
const EVENT_RESERVED = 0x7fff_f000;
/** Their support is a rule of its own. */
const LONG_MODE_BITS = (1n << BigInt(LME)) | (1n << BigInt(LMA));
/** The number of ASIDs. */
const asids = (cpu: Cpu): number => lookUpCpuid(cpu.profile, 0x8000_000a, 0).ebx >>> 0;

const ROWS: readonly Row[] = [
  {
    id: 'svm.vmrun.efer-svme',
    reads: ['EFER'],
    holds: (vmcb) => has(vmcb, AT.efer, SVME),
    explain: 'A guest runs with EFER.SVME = 1 only: set it in the VMCB and hide it from the guest by intercepts.',
  },
  {
    id: 'svm.vmrun.cr0-cd-nw',
    reads: ['CR0'],
    holds: (vmcb) => has(vmcb, AT.cr0, CD) || !has(vmcb, AT.cr0, NW),
    explain: 'CR0.NW = 1 with CR0.CD = 0 is no cache mode: clear NW or set CD.',
  },
  {
    id: 'svm.vmrun.cr0-hi',
    reads: ['CR0'],
    holds: (vmcb) => high(vmcb, AT.cr0) === 0,
    explain: 'Bits 63:32 of CR0 are reserved: write them as 0.',
  },
  {
    id: 'svm.vmrun.cr3-mbz',
    reads: ['CR3'],
    holds: (vmcb, cpu) => (wide(vmcb, AT.cr3) & above(cpu)) === 0n,
    explain: 'CR3 holds a physical address: bits from the physical-address width on must be 0.',
    note: 'The APM says this of long mode. Processors refuse such a CR3 in every paging mode (kvm-unit-tests).',
  },
  {
    id: 'svm.vmrun.cr4-mbz',
    reads: ['CR4'],
    holds: (vmcb, cpu) => (wide(vmcb, AT.cr4) & ~allowedBits(cpu.definition, 'CR4')) === 0n,
    explain: 'A bit of CR4 must be 0 unless CPUID reports its feature.',
  },
  {
    id: 'svm.vmrun.dr6-hi',
    reads: ['DR6'],
    holds: (vmcb) => high(vmcb, AT.dr6) === 0,
    explain: 'Bits 63:32 of DR6 must be 0.',
  },
  {
    id: 'svm.vmrun.dr7-hi',
    reads: ['DR7'],
    holds: (vmcb) => high(vmcb, AT.dr7) === 0,
    explain: 'Bits 63:32 of DR7 must be 0.',
  },
  {
    id: 'svm.vmrun.efer-mbz',
    reads: ['EFER'],
    holds: (vmcb, cpu) => (wide(vmcb, AT.efer) & ~(allowedBits(cpu.definition, 'IA32_EFER') | LONG_MODE_BITS)) === 0n,
    explain: 'A bit of EFER must be 0 unless CPUID reports its feature.',
  },
  {
    id: 'svm.vmrun.efer-long-unsupported',
    reads: ['EFER'],
    appliesWhen: (_vmcb, cpu) => ((allowedBits(cpu.definition, 'IA32_EFER') >> BigInt(LME)) & 1n) === 0n,
    holds: (vmcb) => !has(vmcb, AT.efer, LME) && !has(vmcb, AT.efer, LMA),
    explain: 'EFER.LME and EFER.LMA must be 0 on a processor without long mode.',
  },
  {
    id: 'svm.vmrun.efer-lme-pg-pae',
    reads: ['EFER', 'CR0', 'CR4'],
    appliesWhen: isLong,
    holds: (vmcb) => has(vmcb, AT.cr4, PAE),
    explain: 'Paging with EFER.LME = 1 is long mode, which needs CR4.PAE = 1.',
  },
  {
    id: 'svm.vmrun.efer-lme-pg-pe',
    reads: ['EFER', 'CR0'],
    appliesWhen: isLong,
    holds: (vmcb) => has(vmcb, AT.cr0, PE),
    explain: 'Paging with EFER.LME = 1 is long mode, which needs CR0.PE = 1.',
  },
  {
    id: 'svm.vmrun.cs-l-d',
    reads: ['EFER', 'CR0', 'CR4', 'CS.attributes'],
    appliesWhen: (vmcb) => isLong(vmcb) && has(vmcb, AT.cr4, PAE),
    holds: (vmcb) => !has(vmcb, AT.cs, CODE_L) || !has(vmcb, AT.cs, CODE_D),
    explain: 'A code segment with L = 1 has D = 0.',
  },
  {
    id: 'svm.vmrun.vmrun-intercept',
    reads: ['Intercept vector 4'],
    holds: (vmcb) => has(vmcb, AT.intercept4, VMRUN_BIT),
    explain: 'VMRUN must be intercepted: set bit 0 of intercept vector 4.',
  },
  {
    id: 'svm.vmrun.iopm-range',
    reads: ['IOPM_BASE_PA'],
    holds: (vmcb, cpu) => page(vmcb, AT.iopm) + IOPM_BYTES <= memoryEnd(cpu),
    explain: 'The I/O permission map of 12 KBytes must end within the physical-address width.',
    note: 'The lowest 12 bits are ignored, as kvm-unit-tests finds; VirtualBox refuses them.',
  },
  {
    id: 'svm.vmrun.msrpm-range',
    reads: ['MSRPM_BASE_PA'],
    holds: (vmcb, cpu) => page(vmcb, AT.msrpm) + MSRPM_BYTES < memoryEnd(cpu),
    explain: 'The MSR permission map of 8 KBytes must end below the highest physical address.',
    note: 'A map that ends with the last page of physical memory is refused, as kvm-unit-tests finds.',
  },
  {
    id: 'svm.vmrun.asid',
    reads: ['Guest ASID'],
    holds: (vmcb) => low(vmcb, AT.asid) !== 0,
    explain: 'ASID 0 is the host: give the guest another one.',
  },
  {
    id: 'svm.vmrun.asid-range',
    reads: ['Guest ASID'],
    holds: (vmcb, cpu) => low(vmcb, AT.asid) === 0 || low(vmcb, AT.asid) >>> 0 < asids(cpu),
    explain: 'The ASID must be below the number that CPUID Fn8000_000A_EBX reports.',
  },
  {
    id: 'svm.vmrun.eventinj-type',
    reads: ['EVENTINJ'],
    appliesWhen: isInjecting,
    holds: (vmcb) => [0, 2, 3, 4].includes(eventType(vmcb)),
    explain: 'TYPE of EVENTINJ is 0 (INTR), 2 (NMI), 3 (exception) or 4 (software interrupt); the others are reserved.',
  },
  {
    id: 'svm.vmrun.eventinj-vector',
    reads: ['EVENTINJ'],
    appliesWhen: isException,
    holds: (vmcb) => eventVector(vmcb) !== NMI && eventVector(vmcb) < 32,
    explain: 'An injected exception has a vector from 0 to 31 that is not 2: NMI has a type of its own.',
  },
  {
    id: 'svm.vmrun.eventinj-mode',
    reads: ['EVENTINJ', 'EFER', 'CR0', 'CS.attributes'],
    appliesWhen: (vmcb) => isException(vmcb) && isLong(vmcb) && has(vmcb, AT.cs, CODE_L),
    holds: (vmcb) => eventVector(vmcb) !== BR && eventVector(vmcb) !== OF,
    explain: '#BR and #OF cannot be raised in 64-bit mode: inject another exception.',
  },
  {
    id: 'svm.vmrun.eventinj-reserved',
    reads: ['EVENTINJ'],
    appliesWhen: isInjecting,
    holds: (vmcb) => (low(vmcb, AT.event) & EVENT_RESERVED) === 0,
    explain: 'Bits 30:12 of EVENTINJ must be 0.',
  },
  {
    id: 'svm.vmrun.tlb-control',
    reads: ['TLB_CONTROL'],
    holds: (vmcb, cpu) =>
      TLB_CONTROLS.has(tlbControl(vmcb)) && (tlbControl(vmcb) <= FLUSH_ALL || hasFeature(cpu.profile, 'FlushByAsid')),
    explain: 'TLB_CONTROL is 0 or 1, with flush by ASID also 3 or 7.',
  },
  {
    id: 'svm.vmrun.pat',
    reads: ['Nested paging and encryption control', 'G_PAT'],
    appliesWhen: isNested,
    holds: (vmcb) => memoryTypesOf(vmcb).every((type) => MEMORY_TYPES.has(type)),
    explain: 'With nested paging each byte of G_PAT is a memory type: 0, 1, 4, 5, 6 or 7.',
  },
  {
    id: 'svm.vmrun.np-host-paging',
    reads: ['Nested paging and encryption control', 'host:CR0.PG'],
    appliesWhen: isNested,
    holds: (_vmcb, cpu) => cpu.CR0.PG,
    explain: 'Nested tables have the format of the host: it must have paging on.',
  },
  {
    id: 'svm.vmrun.ncr3-mbz',
    reads: ['Nested paging and encryption control', 'N_CR3'],
    appliesWhen: isNested,
    holds: (vmcb, cpu) => (wide(vmcb, AT.nCr3) & above(cpu)) === 0n,
    explain: 'N_CR3 holds a physical address: bits from the physical-address width on must be 0.',
  },
  {
    id: 'svm.vmrun.pae-pdpte',
    reads: ['Nested paging and encryption control', 'CR0', 'CR3', 'CR4', 'EFER'],
    appliesWhen: (vmcb, cpu) => isPae(vmcb) && !isNested(vmcb, cpu),
    holds: (vmcb, cpu) =>
      pdptes(vmcb, cpu).every((entry) => (entry & 1n) === 0n || (entry & (PDPTE_RESERVED | above(cpu))) === 0n),
    explain: 'Of a PDPTE that is present, bits 2:1, 8:5 and those above the physical-address width must be 0.',
    note: 'The four entries lie where CR3 says. With nested paging they are looked at when they are used.',
  },
  {
    id: 'svm.vmrun.vnmi',
    reads: ['Virtual interrupt control', 'Intercept vector 3'],
    appliesWhen: (vmcb, cpu) =>
      hasFeature(cpu.profile, 'VNMI') && (low(vmcb, AT.virtualInterrupt) & V.NMI_ENABLE) !== 0,
    holds: (vmcb) => has(vmcb, AT.intercept3, NMI_BIT),
    explain: 'Virtual NMIs need physical ones to be intercepted: set bit 1 of intercept vector 3.',
  },
  {
    id: 'svm.vmrun.avic',
    reads: ['Virtual interrupt control'],
    holds: (vmcb, cpu) =>
      (!has(vmcb, AT.virtualInterrupt, AVIC_ENABLE) && !has(vmcb, AT.virtualInterrupt, X2AVIC_ENABLE)) ||
      hasFeature(cpu.profile, 'AVIC'),
    explain: 'AVIC Enable must be 0 on a processor without AVIC.',
  },
];

export const vmrunConsistencyChecks = defineRules<Execution, CheckResult>(
  apm('Canonicalization and Consistency Checks'),
  ({ cpu, ...execution }) => refuseGuest(cpu, Number(vmcbAddressOf({ cpu, ...execution }))),
  ROWS.map(completed),
);
