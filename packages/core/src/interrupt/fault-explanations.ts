// Rules that belong to no single instruction: decoding, segmentation, paging, branches, delivery. Their ids stand in the
// outcomes; here is what each requires and where the manual says so.
import { INSTRUCTION_FAULTS } from '../instruction/fault-explanations.js';
import type { Citation } from '../manual/citation.js';
import { sdm } from '../manual/sdm.js';
import type { Plugin } from '../plugin/define.js';
import { TASK_SWITCH_FAULTS } from '../task/fault-explanations.js';

/** What `why` says of such a rule. */
export interface FaultExplanation {
  readonly manual: Citation;
  readonly explain: string;
  /** Registers whose values and origins help. */
  readonly fields?: readonly string[];
}

const IDT = sdm('64-Bit Mode IDT');
const PAGE_FAULT = sdm('Page-Fault Exceptions');
const PAGING_FIELDS = ['CR3', 'CR0.PG', 'CR4.PAE'];
const SWITCH = sdm('Stack Switching');
const TSS_FIELDS = ['TR.base', 'TR.limit'];
const TABLE_FIELDS = ['IDTR.base', 'IDTR.limit'];

/** By rule id. */
export const FAULT_EXPLANATIONS: Readonly<Record<string, FaultExplanation>> = {
  'core.decode.undefined-opcode': {
    manual: sdm('Exception and Interrupt Reference'),
    explain: 'The bytes at RIP are no instruction of this processor in this mode: look whether RIP went astray.',
    fields: ['RIP', 'CS.attributes'],
  },
  'core.decode.length': {
    manual: sdm('Exception and Interrupt Reference'),
    explain: 'An instruction has at most 15 bytes, prefixes included.',
    fields: ['RIP'],
  },
  'core.decode.feature': {
    manual: sdm('CPUID—CPU Identification'),
    explain:
      'The instruction belongs to an extension that CPUID does not report on this machine: choose another profile or add the plugin that models it.',
    fields: ['RIP'],
  },
  'core.segmentation.limit-or-type': {
    manual: sdm('Limit Checking'),
    explain: 'The access must lie within the limit of a usable segment whose type allows it.',
    fields: ['CS.limit', 'DS.limit', 'SS.limit'],
  },
  'core.alignment-check.operand': {
    manual: sdm('Interrupt 17—Alignment Check Exception (#AC)'),
    explain: 'With CR0.AM and RFLAGS.AC set, the operands of a user program must lie at multiples of their size.',
    fields: ['CR0.AM', 'RFLAGS.AC', 'SS.attributes'],
  },
  'core.machine-check.enabled': {
    manual: sdm('Interrupt 18—Machine-Check Exception (#MC)'),
    explain:
      'A machine check shuts the processor down while CR4.MCE is 0 or an earlier one is being handled (IA32_MCG_STATUS.MCIP).',
    fields: ['CR4.MCE', 'IA32_MCG_STATUS'],
  },
  'core.linear-address.canonical': {
    manual: sdm('Canonical Checking'),
    explain: 'The upper bits of a linear address must be copies of the highest implemented one.',
    fields: ['RIP', 'RSP'],
  },
  'core.branch.canonical': {
    manual: sdm('Canonical Checking'),
    explain: 'The target of a near branch must be canonical; the exception is raised at the branch.',
    fields: ['RIP'],
  },
  'core.paging.present': {
    manual: PAGE_FAULT,
    explain: 'An entry on the way to the page has its P flag clear: map the address, or look who computed it.',
    fields: ['CR3', 'RIP'],
  },
  'core.paging.reserved': {
    manual: PAGE_FAULT,
    explain:
      'A present entry on the way to the page has a reserved bit set: above the physical-address width, bit 63 without EFER.NXE, PS where no page can be, or low bits of a large page.',
    fields: [...PAGING_FIELDS, 'IA32_EFER.NXE'],
  },
  'core.paging.rights': {
    manual: PAGE_FAULT,
    explain:
      'The entries on the way to the page do not allow the access: U/S for user mode, R/W for writes (supervisor too with CR0.WP), XD for fetches, and SMEP and SMAP for user pages.',
    fields: [...PAGING_FIELDS, 'CR0.WP', 'CR4.SMEP', 'CR4.SMAP'],
  },
  'core.paging.protection-key': {
    manual: sdm('Protection Keys'),
    explain:
      'The protection key of the page (bits 62:59 of its entry) has AD set, or WD for a write, in PKRU for a user page and in IA32_PKRS for a supervisor page: WD counts in supervisor mode only with CR0.WP.',
    fields: [...PAGING_FIELDS, 'PKRU', 'IA32_PKRS', 'CR4.PKE', 'CR4.PKS', 'CR0.WP'],
  },
  'core.idt.limit': {
    manual: IDT,
    explain: 'The gate of the vector must lie within IDTR.limit: load an IDT before anything can fault.',
    fields: TABLE_FIELDS,
  },
  'core.idt.gate-type': {
    manual: IDT,
    explain:
      'The descriptor must be an interrupt or trap gate, in IA-32e mode a 64-bit one (type EH or FH); outside it a 16-bit one or a task gate will do.',
    fields: TABLE_FIELDS,
  },
  'core.idt.gate-dpl': {
    manual: IDT,
    explain: 'A software interrupt needs a gate whose DPL is at least CPL.',
    fields: TABLE_FIELDS,
  },
  'core.idt.gate-present': { manual: IDT, explain: 'The gate of the vector must be present.', fields: TABLE_FIELDS },
  'core.idt.target-null': {
    manual: IDT,
    explain: 'The gate must name a code segment: its selector is null.',
    fields: TABLE_FIELDS,
  },
  'core.idt.target-limit': {
    manual: IDT,
    explain: 'The selector in the gate must lie within the GDT.',
    fields: [...TABLE_FIELDS, 'GDTR.limit'],
  },
  'core.idt.target-type': {
    manual: IDT,
    explain: 'The gate must lead to a code segment with DPL not above CPL, in IA-32e mode a 64-bit one.',
    fields: [...TABLE_FIELDS, 'GDTR.base'],
  },
  'core.idt.target-offset': {
    manual: sdm('IDT Descriptors'),
    explain: 'The offset in the gate must lie within the limit of the code segment.',
    fields: [...TABLE_FIELDS, 'GDTR.base'],
  },
  'core.stack.room': {
    manual: SWITCH,
    explain:
      'The stack that a gate leads to must have room for what is pushed: look at the limit of SS and the stack pointer.',
    fields: ['SS.limit', 'RSP', ...TSS_FIELDS],
  },
  'core.idt.target-canonical': {
    manual: IDT,
    explain: 'The offset in the gate must be canonical.',
    fields: TABLE_FIELDS,
  },
  'core.idt.target-present': {
    manual: IDT,
    explain: 'The code segment in the gate must be present.',
    fields: [...TABLE_FIELDS, 'GDTR.base'],
  },
  'core.ivt.limit': {
    manual: sdm('Exception and Interrupt Reference'),
    explain: 'The vector must lie within IDTR.limit.',
    fields: TABLE_FIELDS,
  },
  'core.tss.limit': {
    manual: sdm('Task-State Segment (TSS)'),
    explain: 'The TSS must hold the stack that the gate asks for: load TR with one that is long enough.',
    fields: TSS_FIELDS,
  },
  'core.tss.ss-null': {
    manual: SWITCH,
    explain: 'The TSS must name a stack segment for the inner level: its selector is null.',
    fields: TSS_FIELDS,
  },
  'core.tss.ss-limit': {
    manual: SWITCH,
    explain: 'The stack segment in the TSS must lie within its descriptor table.',
    fields: [...TSS_FIELDS, 'GDTR.limit', 'LDTR.limit'],
  },
  'core.tss.ss-rpl': {
    manual: SWITCH,
    explain: 'RPL of the stack segment in the TSS must be the inner level.',
    fields: TSS_FIELDS,
  },
  'core.tss.ss-dpl': {
    manual: SWITCH,
    explain: 'DPL of the stack segment in the TSS must be the inner level.',
    fields: [...TSS_FIELDS, 'GDTR.base'],
  },
  'core.tss.ss-type': {
    manual: SWITCH,
    explain: 'The stack segment in the TSS must be a writable data segment.',
    fields: [...TSS_FIELDS, 'GDTR.base'],
  },
  'core.tss.ss-present': {
    manual: SWITCH,
    explain: 'The stack segment in the TSS must be present.',
    fields: [...TSS_FIELDS, 'GDTR.base'],
  },
  'core.breakpoint.instruction': {
    manual: sdm('Debug Exceptions'),
    explain: 'An enabled breakpoint of DR7 waits for the instruction at this address.',
    fields: ['DR7', 'DR0', 'DR1', 'DR2', 'DR3', 'RIP'],
  },
  'core.double-fault': {
    manual: sdm('Interrupt 8—Double Fault Exception (#DF)'),
    explain: 'A second exception was raised while the first was delivered.',
    fields: TABLE_FIELDS,
  },
  ...INSTRUCTION_FAULTS,
  ...TASK_SWITCH_FAULTS,
};

/** The explanation of a rule that core or a plugin raises outside the checks of an instruction. */
export function explanationOf(rule: string, plugins: readonly Plugin[]): FaultExplanation | undefined {
  return (
    FAULT_EXPLANATIONS[rule] ??
    plugins.find(({ explanations }) => explanations?.[rule] !== undefined)?.explanations?.[rule]
  );
}
