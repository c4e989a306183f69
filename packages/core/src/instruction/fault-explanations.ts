// One flat table: rules of single instructions that are no rows of their checks, because they are found while the effect
// is computed: in descriptors, and in values that an MSR's own row refuses.
import type { FaultExplanation } from '../interrupt/fault-explanations.js';
import { sdm } from '../manual/sdm.js';

const MOV = sdm('MOV—Move');
const JMP = sdm('JMP—Jump');
const GATE = sdm('Call Gates');
const RET = sdm('RET—Return From Procedure');
const LTR = sdm('LTR—Load Task Register');
const LLDT = sdm('LLDT—Load Local Descriptor Table Register');
const WRMSR = sdm('WRMSR—Write to Model Specific Register');

const X2APIC = sdm('x2APIC State Transitions');

const GDT = ['GDTR.base', 'GDTR.limit'];
const TABLES = [...GDT, 'LDTR.base', 'LDTR.limit'];
const LEVEL = [...GDT, 'SS.attributes'];

/** By rule id. */
export const INSTRUCTION_FAULTS: Readonly<Record<string, FaultExplanation>> = {
  'core.msr.x2apic-mode': {
    manual: X2APIC,
    explain: 'MSRs 800H to 8FFH are registers of the local APIC in x2APIC mode: set bits 11 and 10 of IA32_APIC_BASE.',
    fields: ['IA32_APIC_BASE'],
  },
  'core.wrmsr.apic-base-transition': {
    manual: X2APIC,
    explain:
      'From disabled to xAPIC to x2APIC mode and from each of them to disabled: no other change of bits 11 (EN) and 10 (EXTD) of IA32_APIC_BASE is allowed.',
    fields: ['IA32_APIC_BASE'],
  },
  'core.ltr.canonical': { manual: LTR, explain: 'The base of the TSS must be canonical.', fields: GDT },
  'core.lldt.canonical': { manual: LLDT, explain: 'The base of the LDT must be canonical.', fields: GDT },
  'core.div.quotient': {
    manual: sdm('DIV—Unsigned Divide'),
    explain: 'The divisor must not be 0 and the quotient must fit the destination.',
    fields: ['RAX', 'RDX'],
  },
  'core.idiv.quotient': {
    manual: sdm('IDIV—Signed Divide'),
    explain: 'The divisor must not be 0 and the quotient must fit the destination.',
    fields: ['RAX', 'RDX'],
  },
  'core.aam.base': {
    manual: sdm('AAM—ASCII Adjust AX After Multiply'),
    explain: 'The base, an immediate byte, must not be 0.',
  },
  'core.bound.range': {
    manual: sdm('BOUND—Check Array Index Against Bounds'),
    explain: 'The index, a signed number, must lie between the two bounds in memory.',
  },
  'core.cmpxchg16b.alignment': {
    manual: sdm('CMPXCHG8B/CMPXCHG16B—Compare and Exchange Bytes'),
    explain: 'The operand must be aligned to 16 bytes.',
  },
  'core.sse.emulation': {
    manual: sdm('Control Registers'),
    explain: 'CR0.EM = 1 takes the SSE instructions away: clear it.',
    fields: ['CR0.EM'],
  },
  'core.sse.osfxsr': {
    manual: sdm('Control Registers'),
    explain: 'The operating system must say with CR4.OSFXSR that it saves XMM registers.',
    fields: ['CR4.OSFXSR'],
  },
  'core.sse.task-switched': {
    manual: sdm('Control Registers'),
    explain: 'CR0.TS = 1: the registers still belong to another task.',
    fields: ['CR0.TS'],
  },
  'core.sse.alignment': {
    manual: sdm('Memory Alignment'),
    explain: 'A memory operand of 16 bytes must lie at a multiple of 16.',
  },
  'core.sse.unmasked-exception': {
    manual: sdm('SIMD Floating-Point Exceptions'),
    explain: 'A floating-point exception that MXCSR does not mask: #XM, or #UD while CR4.OSXMMEXCPT is 0.',
    fields: ['MXCSR', 'CR4.OSXMMEXCPT'],
  },
  'core.ud.always': {
    manual: sdm('UD—Undefined Instruction'),
    explain: 'The instruction exists to raise #UD: software marks with it what must not be reached.',
    fields: ['RIP'],
  },
  'core.virtual-8086.vip-or-tf': {
    manual: sdm('8086 Emulation'),
    explain: 'With virtual interrupts FLAGS cannot take TF, nor IF while VIP says that an interrupt is pending.',
    fields: ['RFLAGS'],
  },
  'core.virtual-8086.redirection-map': {
    manual: sdm('8086 Emulation'),
    explain:
      'The 32 bytes before the I/O permission bit map say which interrupts the 8086 program handles: the TSS must hold them.',
    fields: ['TR.base', 'TR.limit'],
  },
  'core.rsm.mode': {
    manual: sdm('RSM—Resume From System Management Mode'),
    explain: 'RSM is recognised in system-management mode only, which the machine does not have.',
    fields: ['RIP'],
  },
  'core.segment-load.limit': {
    manual: MOV,
    explain: 'The selector must lie within its descriptor table.',
    fields: TABLES,
  },
  'core.segment-load.type': {
    manual: MOV,
    explain: 'A data segment register takes data or readable code.',
    fields: GDT,
  },
  'core.segment-load.dpl': {
    manual: MOV,
    explain: 'Neither CPL nor RPL may be above the DPL of data or non-conforming code.',
    fields: LEVEL,
  },
  'core.segment-load.present': { manual: MOV, explain: 'The segment must be present.', fields: GDT },
  'core.segment-load.ss-null': {
    manual: MOV,
    explain: 'SS takes a null selector only in 64-bit mode, with a CPL below 3 and RPL equal to CPL.',
    fields: ['SS.attributes', 'CS.attributes'],
  },
  'core.segment-load.ss-rpl': { manual: MOV, explain: 'RPL of the selector for SS must be CPL.', fields: LEVEL },
  'core.segment-load.ss-type': { manual: MOV, explain: 'SS takes a writable data segment.', fields: GDT },
  'core.segment-load.ss-dpl': { manual: MOV, explain: 'DPL of the segment for SS must be CPL.', fields: LEVEL },
  'core.segment-load.ss-present': { manual: MOV, explain: 'The stack segment must be present.', fields: GDT },
  'core.far-transfer.null': { manual: JMP, explain: 'CS takes no null selector.' },
  'core.far-transfer.limit': {
    manual: JMP,
    explain: 'The selector must lie within its descriptor table.',
    fields: TABLES,
  },
  'core.far-transfer.type': {
    manual: JMP,
    explain: 'A far transfer leads to a code segment or through a call gate, in IA-32e mode a 64-bit one.',
    fields: GDT,
  },
  'core.call-gate.dpl': {
    manual: GATE,
    explain: 'Neither CPL nor RPL of the selector may be above the DPL of the call gate.',
    fields: LEVEL,
  },
  'core.call-gate.present': { manual: GATE, explain: 'The call gate must be present.', fields: GDT },
  'core.call-gate.upper-type': {
    manual: GATE,
    explain: 'A 64-bit call gate has 16 bytes: bits 12:8 of its last doubleword are 0.',
    fields: GDT,
  },
  'core.call-gate.target-null': {
    manual: GATE,
    explain: 'The code selector in the gate must not be null.',
    fields: GDT,
  },
  'core.call-gate.target-limit': {
    manual: GATE,
    explain: 'The code selector in the gate must lie within its descriptor table.',
    fields: TABLES,
  },
  'core.call-gate.target-type': { manual: GATE, explain: 'The gate must lead to a code segment.', fields: GDT },
  'core.call-gate.target-dpl': {
    manual: sdm('Privilege Level Checking When Accessing Code Segments'),
    explain: 'A gate leads to the same or an inner level, and a JMP to non-conforming code stays at its level.',
    fields: LEVEL,
  },
  'core.call-gate.target-64-bit': {
    manual: GATE,
    explain: 'In IA-32e mode a gate leads to 64-bit code: L is 1 and D is 0.',
    fields: GDT,
  },
  'core.call-gate.target-present': {
    manual: GATE,
    explain: 'The code segment in the gate must be present.',
    fields: GDT,
  },
  'core.far-transfer.dpl': {
    manual: JMP,
    explain:
      'Non-conforming code needs a DPL equal to CPL and an RPL not above it; conforming code a DPL not above CPL.',
    fields: LEVEL,
  },
  'core.far-transfer.l-and-d': {
    manual: JMP,
    explain: 'In IA-32e mode a code segment has L or D set, never both.',
    fields: [...GDT, 'IA32_EFER.LMA'],
  },
  'core.far-transfer.present': { manual: JMP, explain: 'The code segment must be present.', fields: GDT },
  'core.far-transfer.offset': {
    manual: JMP,
    explain: 'The offset must lie within the limit of the code segment; for 64-bit code it must be canonical.',
    fields: [...GDT, 'CS.limit'],
  },
  'core.far-return.type': { manual: RET, explain: 'A far return leads to a code segment.', fields: GDT },
  'core.far-return.rpl': {
    manual: RET,
    explain: 'A return leads to the same or an outer level: RPL of the CS on the stack must not be below CPL.',
    fields: ['SS.attributes', 'RSP'],
  },
  'core.far-return.dpl': {
    manual: RET,
    explain: 'DPL of non-conforming code must be the RPL of its selector; of conforming code not above it.',
    fields: [...GDT, 'RSP'],
  },
  'core.far-return.ss-null': {
    manual: RET,
    explain:
      'The SS on the stack may be null only for a return to 64-bit code of level 0 to 2, with that level as RPL.',
    fields: ['RSP'],
  },
  'core.far-return.ss-limit': {
    manual: RET,
    explain: 'The SS on the stack must lie within its descriptor table.',
    fields: [...TABLES, 'RSP'],
  },
  'core.iret.ss-null': {
    manual: sdm('IRET/IRETD/IRETQ—Interrupt Return'),
    explain: 'The SS on the stack may be null only for a return to 64-bit code.',
    fields: ['RSP'],
  },
  'core.ltr.table': { manual: LTR, explain: 'A TSS descriptor stands in the GDT: TI of the selector must be 0.' },
  'core.ltr.limit': { manual: LTR, explain: 'The descriptor must lie within the GDT.', fields: GDT },
  'core.ltr.type': {
    manual: LTR,
    explain: 'The descriptor must be an available TSS; a busy one is in use.',
    fields: GDT,
  },
  'core.ltr.present': { manual: LTR, explain: 'The TSS must be present.', fields: GDT },
  'core.ltr.upper-type': {
    manual: LTR,
    explain: 'In IA-32e mode a TSS descriptor has 16 bytes: bits 12:8 of its last doubleword are 0.',
    fields: GDT,
  },
  'core.lldt.table': { manual: LLDT, explain: 'An LDT descriptor stands in the GDT: TI of the selector must be 0.' },
  'core.lldt.limit': { manual: LLDT, explain: 'The descriptor must lie within the GDT.', fields: GDT },
  'core.lldt.type': { manual: LLDT, explain: 'The descriptor must be that of an LDT.', fields: GDT },
  'core.lldt.present': { manual: LLDT, explain: 'The LDT must be present.', fields: GDT },
  'core.lldt.upper-type': {
    manual: LLDT,
    explain: 'In IA-32e mode an LDT descriptor has 16 bytes: bits 12:8 of its last doubleword are 0.',
    fields: GDT,
  },
  'core.rdmsr.write-only': {
    manual: sdm('RDMSR—Read From Model Specific Register'),
    explain: 'The MSR is a command: it can be written and not read.',
    fields: ['RCX'],
  },
  'core.wrmsr.machine-check-control': {
    manual: WRMSR,
    explain: 'A control register of the machine-check mechanism takes all zeros or all ones.',
    fields: ['RDX', 'RAX'],
  },
  'core.wrmsr.machine-check-status': {
    manual: WRMSR,
    explain: 'Software clears the status of a bank: write it as 0.',
    fields: ['RDX', 'RAX'],
  },
  'core.wrmsr.value-reserved': {
    manual: WRMSR,
    explain: 'A bit that this processor lacks is 1 in EDX:EAX: an address beyond its width, or a reserved bit.',
    fields: ['RCX', 'RDX', 'RAX'],
  },
  'core.wrmsr.memory-type': {
    manual: WRMSR,
    explain: 'A byte of EDX:EAX is no memory type: UC 0, WC 1, WT 4, WP 5, WB 6, and UC- 7 in IA32_PAT.',
    fields: ['RCX', 'RDX', 'RAX'],
  },
};
