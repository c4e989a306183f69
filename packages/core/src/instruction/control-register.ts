// SDM, "MOV—Move to/from Control Registers", and the older ways to CR0: LMSW, SMSW and CLTS.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { havePdptesReservedBits, pdptesLoadedBy } from '../memory/pdpte-registers.js';
import { allowedBits, readControlRegister, writeControlRegister } from '../register/control-register-write.js';
import { CR0, CR4 } from '../register/control-registers.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import type { Operand } from './operand.js';
import { hiddenFromUser, operandAt, privileged } from './privilege.js';

type WritableRegister = 'CR0' | 'CR2' | 'CR3' | 'CR4' | 'CR8';
const WRITABLE = new Set<string>(['CR0', 'CR2', 'CR3', 'CR4', 'CR8']);

/** What MOV is about to write: the register, its old value and the new one. */
interface PendingWrite {
  readonly cpu: Cpu;
  readonly before: bigint;
  readonly value: bigint;
  /** Whether a bit is 1 in the new value. */
  readonly sets: (bit: number) => boolean;
  /** Whether a bit goes from 1 to 0. */
  readonly clears: (bit: number) => boolean;
}

/** A row that concerns writes of one register. Where the value comes from is among what it reads. */
function whenWriting(
  register: WritableRegister,
  row: Pick<FaultRow, 'id' | 'explain' | 'note'> & {
    readonly fields?: readonly string[];
    readonly refused: (write: PendingWrite) => boolean;
  },
): FaultRow {
  const { refused, fields = [], ...rest } = row;
  return {
    ...rest,
    fields: ({ operands }) => [...fields, operands[1]?.place() ?? []].flat(),
    raise: GP(0),
    when: (cpu, operands) => operands[0]?.register === register && refused(pendingWrite(cpu, operands)),
  };
}

function pendingWrite(cpu: Cpu, operands: readonly Operand[]): PendingWrite {
  const before = operandAt(operands, 0).read();
  const value = operandAt(operands, 1).read();
  const has = (all: bigint, bit: number) => ((all >> BigInt(bit)) & 1n) === 1n;
  return { cpu, before, value, sets: (bit) => has(value, bit), clears: (bit) => has(before, bit) && !has(value, bit) };
}

const { PE, PG, NW, CD } = CR0.bits;
const { PAE, LA57, PCIDE } = CR4.bits;
const PCID = 0xfffn;
const NO_FLUSH = 1n << 63n;
const BUSY_16_BIT_TSS = 3n;

const beginsPaging = ({ cpu, sets }: PendingWrite): boolean => sets(PG) && !cpu.CR0.PG;
const beginsLongMode = (write: PendingWrite): boolean => beginsPaging(write) && write.cpu.EFER.LME;

const CR0_ROWS: readonly FaultRow[] = [
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-high-bits',
    refused: ({ value }) => value >> 32n !== 0n,
    explain: 'Bits 63:32 of CR0 are reserved: write them as 0.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-pg-pe',
    refused: ({ sets }) => sets(PG) && !sets(PE),
    explain: 'Paging needs protected mode: set CR0.PE together with CR0.PG or before it.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-nw-cd',
    refused: ({ sets }) => sets(NW) && !sets(CD),
    explain: 'CR0.NW = 1 with CR0.CD = 0 is no cache mode: clear NW or set CD.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-lme-pae',
    fields: ['IA32_EFER.LME', 'CR4.PAE'],
    refused: (write) => beginsLongMode(write) && !write.cpu.CR4.PAE,
    explain: 'Paging in IA-32e mode needs CR4.PAE: set it before CR0.PG.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-lme-cs-l',
    fields: ['IA32_EFER.LME', 'CS.attributes'],
    refused: (write) => beginsLongMode(write) && write.cpu.codeAttribute('L'),
    explain: 'IA-32e mode is entered from a code segment with CS.L = 0: load such a segment before setting CR0.PG.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-lme-tr',
    fields: ['IA32_EFER.LME', 'TR.attributes'],
    refused: (write) => beginsLongMode(write) && (write.cpu.read('TR.attributes') & 0xfn) <= BUSY_16_BIT_TSS,
    explain: 'IA-32e mode has no 16-bit TSS: load TR with another one before setting CR0.PG.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-pg-64-bit',
    fields: ['IA32_EFER.LMA', 'CS.attributes'],
    refused: ({ cpu, clears }) => clears(PG) && cpu.mode === '64-bit',
    explain: 'Paging cannot end in 64-bit mode: go to compatibility mode first.',
  }),
  whenWriting('CR0', {
    id: 'core.mov-cr.cr0-pg-pcide',
    fields: ['CR4.PCIDE'],
    refused: ({ cpu, clears }) => clears(PG) && cpu.CR4.PCIDE,
    explain: 'Paging cannot end while CR4.PCIDE is 1: clear it first.',
  }),
];

const CR3_ROWS: readonly FaultRow[] = [
  whenWriting('CR3', {
    id: 'core.mov-cr.cr3-reserved',
    fields: ['CR4.PCIDE'],
    refused: ({ cpu, value }) => {
      const address = cpu.CR4.PCIDE ? value & ~NO_FLUSH : value;
      return cpu.mode === '64-bit' && address >> BigInt(cpu.profile.physicalAddressWidth) !== 0n;
    },
    explain: 'CR3 holds a physical address: bits from the physical-address width on are reserved.',
    note: 'Bit 63 asks that translations be kept while CR4.PCIDE is 1; it is not stored.',
  }),
];

const CR4_ROWS: readonly FaultRow[] = [
  whenWriting('CR4', {
    id: 'core.mov-cr.cr4-reserved',
    refused: ({ cpu, value }) => (value & ~allowedBits(cpu.definition, 'CR4')) !== 0n,
    explain: 'A bit of CR4 is reserved unless CPUID reports its feature: write it as 0.',
  }),
  whenWriting('CR4', {
    id: 'core.mov-cr.cr4-pae-long-mode',
    fields: ['IA32_EFER.LMA', 'CR4.PAE'],
    refused: ({ cpu, clears }) => clears(PAE) && cpu.EFER.LMA,
    explain: 'IA-32e mode cannot do without CR4.PAE: leave it before clearing the bit.',
  }),
  whenWriting('CR4', {
    id: 'core.mov-cr.cr4-la57-long-mode',
    fields: ['IA32_EFER.LMA', 'CR4.LA57'],
    refused: ({ cpu, before, value }) => cpu.EFER.LMA && (((before ^ value) >> BigInt(LA57)) & 1n) === 1n,
    explain: 'The number of paging levels cannot change in IA-32e mode: leave it before changing CR4.LA57.',
  }),
  whenWriting('CR4', {
    id: 'core.mov-cr.cr4-pcide-long-mode',
    fields: ['IA32_EFER.LMA'],
    refused: ({ cpu, sets }) => sets(PCIDE) && !cpu.CR4.PCIDE && !cpu.EFER.LMA,
    explain: 'Process-context identifiers exist only in IA-32e mode: enter it before setting CR4.PCIDE.',
  }),
  whenWriting('CR4', {
    id: 'core.mov-cr.cr4-pcide-cr3',
    fields: ['CR3'],
    refused: ({ cpu, sets }) => sets(PCIDE) && !cpu.CR4.PCIDE && (cpu.CR3 & PCID) !== 0n,
    explain: 'CR3[11:0] becomes the process-context identifier and must be 0 when CR4.PCIDE is set.',
  }),
];

const CR8_ROWS: readonly FaultRow[] = [
  whenWriting('CR8', {
    id: 'core.mov-cr.cr8-reserved',
    refused: ({ value }) => value >> 4n !== 0n,
    explain: 'CR8 holds a task-priority class of 4 bits: write bits 63:4 as 0.',
  }),
];

/** All values that got so far are allowed in themselves. */
const PDPTE_ROW: FaultRow = {
  id: 'core.mov-cr.pdpte-reserved',
  fields: ({ operands }) => ['CR3', 'CR0.PG', 'CR4.PAE', operands[1]?.place() ?? []].flat(),
  when: (cpu, operands) => {
    const register = operands[0]?.register;
    if (register !== 'CR0' && register !== 'CR3' && register !== 'CR4') return false;
    const pdptes = pdptesLoadedBy(cpu, register, operandAt(operands, 1).read());
    return pdptes !== undefined && havePdptesReservedBits(cpu, pdptes);
  },
  raise: GP(0),
  explain:
    'PAE paging loads the four PDPTEs at the address in CR3: of one that is present, bits 2:1, 8:5 and those above the physical-address width must be 0.',
};

const writing = (register: WritableRegister) => ({ operands: [{ register }, { in: 'value' }] }) as const;
const reading = (register: WritableRegister) => ({ operands: [{ out: true }, { register }] }) as const;

export const MOV_CR = defineInstruction({
  mnemonic: 'MOV CR',
  manual: sdm('MOV—Move to/from Control Registers'),
  reads: ['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'IA32_EFER', 'SS.attributes', 'CS.attributes'],
  writes: ['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'IA32_EFER.LMA'],
  flags: 'OF, SF, ZF, AF, PF and CF are undefined; they stay',
  // CR1, CR5 to CR7 and CR9 to CR15 do not exist: their encodings are #UD before they come here.
  faults: [privileged('MOV-CR'), ...CR0_ROWS, ...CR3_ROWS, ...CR4_ROWS, ...CR8_ROWS, PDPTE_ROW],
  intrinsics: {
    movToCr0: writing('CR0'),
    movToCr2: writing('CR2'),
    movToCr3: writing('CR3'),
    movToCr4: writing('CR4'),
    movToCr8: writing('CR8'),
    movFromCr0: reading('CR0'),
    movFromCr2: reading('CR2'),
    movFromCr3: reading('CR3'),
    movFromCr4: reading('CR4'),
    movFromCr8: reading('CR8'),
  },
  effect(cpu, operands) {
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    if (isControlRegister(to.register)) return writeControlRegister(cpu, to.register, from.read());
    return to.write(isControlRegister(from.register) ? readControlRegister(cpu, from.register) : from.read());
  },
});

function isControlRegister(name: string | undefined): name is WritableRegister {
  return name !== undefined && WRITABLE.has(name);
}

const TS = 1n << BigInt(CR0.bits.TS);
const PE_MASK = 1n << BigInt(PE);
const LMSW_BITS = 0xfn; // PE, MP, EM, TS

export const LMSW = defineInstruction({
  mnemonic: 'LMSW',
  manual: sdm('LMSW—Load Machine Status Word'),
  reads: ['CR0', 'SS.attributes'],
  writes: ['CR0'],
  flags: 'unaffected',
  faults: [privileged('LMSW')],
  effect(cpu, operands) {
    const value = operandAt(operands, 0).read() & LMSW_BITS;
    const kept = cpu.CR0.value & ~(LMSW_BITS & ~PE_MASK); // PE can be set and not cleared
    writeControlRegister(cpu, 'CR0', kept | value);
  },
});

export const SMSW = defineInstruction({
  mnemonic: 'SMSW',
  manual: sdm('SMSW—Store Machine Status Word'),
  reads: ['CR0', 'CR4.UMIP', 'SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [hiddenFromUser('SMSW')],
  effect: (cpu, operands) => operandAt(operands, 0).write(readControlRegister(cpu, 'CR0')), // memory takes 16 bits, a register its width
});

export const CLTS = defineInstruction({
  mnemonic: 'CLTS',
  manual: sdm('CLTS—Clear Task-Switched Flag in CR0'),
  reads: ['CR0', 'SS.attributes'],
  writes: ['CR0.TS'],
  flags: 'unaffected',
  faults: [privileged('CLTS')],
  effect: (cpu) => writeControlRegister(cpu, 'CR0', cpu.CR0.value & ~TS),
});
